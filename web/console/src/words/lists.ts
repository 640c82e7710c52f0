// Words of the long lists: named lists, customers in bulk, contacts looked up.

import { learn } from './index';

type Entry = readonly [en: string, zh: string, pinyin?: string];

export const lists = {
  'views.save': ['Save as list', '保存为列表'],
  'views.name': ['Name of the list', '列表名称'],
  'views.shared': ['For everybody', '全员共享'],
  'views.saved': ['List saved.', '列表已保存。'],
  'views.remove': ['Delete the list {name}', '删除列表 {name}'],
  'views.remove.sure': ['The list goes; what is in it stays.', '仅删除列表，其中的内容保留。'],
  'views.gone': ['List deleted.', '列表已删除。'],
  'views.title': ['Saved lists', '已存列表'],

  'ticket.play': ['Recording', '录音'],
  'ticket.play.of': ['Recording of contact {n}', '会话 {n} 的录音'],
  'ticket.play.none': ['Nothing of this contact is recorded.', '此会话没有录音。'],

  'calls.search': ['Number, last digits or name', '号码、尾号或姓名'],
  'calls.none.found': ['Nothing like this. A number is found by its last digits, three at least; a name by the beginnings of its words.', '未找到。号码可按尾号（至少三位）查找，姓名按各词开头查找。'],

  'audit.filter.who': ['Login or key:name', '登录名或 key:名称'],
  'audit.filter.subject': ['On what: the id begins with', '对象编号开头'],
  'audit.kind': ['everything about {kind}', '{kind} 的全部操作'],
  'audit.csv': ['As a table (CSV)', '导出表格（CSV）'],
  'audit.csv.hint': ['What is looked for, the newest 100 000 entries; that it was taken is noted here.', '导出当前筛选结果，最多最近 100 000 条；导出本身也会记录。'],
  'audit.none.found': ['Nothing like this.', '未找到符合条件的记录。'],

  'keys.used': ['Last used', '最近使用'],
  'keys.never': ['never', '从未'],
  'keys.unused': ['not for 90 days', '90 天未使用'],

  'sessions.end.sure': ['Whoever works there is signed out at once; a call in that browser ends.', '该设备将立即退出登录，其浏览器中的通话会中断。'],
  'sessions.all.sure': ['They are signed out on every device at once.', '该用户将立即在所有设备上退出登录。'],
  'users.lock.sure': ['They are signed out at once and cannot come in until unlocked.', '该用户将立即退出登录，解除停用前无法登录。'],
  'hooks.give.up.sure': ['The receiver is never told of this event, unless you have it told again.', '接收方将不会收到该事件，除非您重新推送。'],

  'customers.pick': ['Choose {who}', '选择 {who}'],
  'customers.bulk': ['Change the chosen customers', '批量修改所选客户'],
  'customers.picked': ['{n} chosen', '已选 {n} 位'],
  'customers.bulk.done': ['{n} changed.', '已修改 {n} 位。'],
  'customers.bulk.some': ['{n} changed, {failed} not: they may be gone or have too many tags.', '已修改 {n} 位，{failed} 位未修改：可能已删除或标签过多。'],
  'customers.bulk.tier': ['Tier for all chosen', '所选客户的等级'],
  'customers.bulk.tag': ['Tag for all chosen', '为所选客户添加标签'],
  'customers.bulk.merge': ['Merge the two', '合并这两位'],
  'customers.bulk.merge.title': ['Which entry stays?', '保留哪一条？'],
  'customers.bulk.erase': ['Erase the chosen', '抹除所选客户'],
  'customers.bulk.erase.title': ['Erase {n} customers for good?', '永久抹除 {n} 位客户？'],
  'customers.bulk.erase.what': ['Their names, numbers, recordings and words go; calls and tickets stay as numbers in reports. What is held, or on the line now, is left alone. This cannot be undone.', '其姓名、号码、录音与文字将被删除；通话与工单仅作为统计保留。被保全或正在通话的客户不受影响。此操作无法撤销。'],
  'customers.bulk.erased': ['{n} are being erased.', '正在抹除 {n} 位。'],
  'customers.bulk.erased.some': ['{n} are being erased, {failed} not: {why}', '正在抹除 {n} 位，{failed} 位未执行：{why}'],
  'customers.bulk.toomany': ['At most {n} at once.', '一次最多 {n} 位。'],
} as const satisfies Record<string, Entry>;

learn(lists);
