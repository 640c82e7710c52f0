// Words of the configuration: as text, of every form that changes a part of it, and of the parts' groups.

import { learn, type Entry } from '.';

export const config = {
  'config.hint': ['Queues, agents, numbers, hours, codes: all of it as text. A change is checked and shown before it is in force.', '队列、坐席、号码、营业时间、小结等全部以文本维护。修改会先校验并显示差异，再生效。'],
  'config.jump': ['Jump to', '跳到'],
  'config.queues': ['Queues', '队列'],
  'config.agents': ['Agents', '坐席'],
  'config.skills': ['Skills', '技能'],
  'config.hours': ['Hours', '营业时间'],
  'config.routes': ['Numbers', '号码'],
  'config.trunks': ['Trunks', '中继'],
  'config.reasons': ['Break reasons', '示忙原因'],
  'config.codes': ['Outcomes', '小结'],
  'config.slas': ['Promises', '服务承诺'],
  'config.chat': ['Chat', '在线咨询'],
  'config.check': ['Check and show changes', '校验并查看差异'],
  'config.undo': ['Undo all', '撤销修改'],
  'config.export': ['Export', '导出'],
  'config.import': ['Import', '导入'],
  'config.import.read': ['{name} has been read. It is not in force yet: check it first.', '已读入 {name}，尚未生效，请先校验。'],
  'config.import.large': ['{name} is larger than {mb} MB: this is not a configuration.', '{name} 超过 {mb} MB，不是配置文件。'],
  'config.wrong': ['This cannot be put in force:', '无法生效：'],
  'config.diff': ['What changes', '变更内容'],
  'config.same': ['Nothing changes.', '没有变化。'],
  'config.apply': ['Put in force', '生效'],
  'config.done': ['The configuration is in force.', '配置已生效。'],
  'parts.people': ['People', '人员'],
  'parts.contacts': ['Contacts', '接入与分配'],
  'parts.phones': ['Telephony', '电话'],
  'parts.house': ['Rules and programs', '规则与集成'],
  'parts.records': ['Records', '数据与运行'],
} as const satisfies Record<string, Entry>;

learn(config);
