// Words of the ladder and of why a call went as it did.

type Entry = readonly [en: string, zh: string, pinyin?: string];

export const ladder = {
  'ladder.title': ['SIP messages', 'SIP 消息'],
  'ladder.show': ['Show the messages', '显示消息'],
  'ladder.none': ['No messages are kept of this contact.', '该会话没有保存消息。'],
  'ladder.audited': ['Who looks is noted in the audit log.', '查看操作会记入审计日志。'],
  'ladder.dropped': ['{n} messages were not kept.', '有 {n} 条消息未保存。'],
  'ladder.us': ['ringdesk', 'ringdesk'],
  'ladder.text': ['As text', '下载文本'],
  'ladder.pcap': ['As pcap', '下载 pcap'],
  'ladder.message': ['{title}, {at}', '{title}，{at}'],
  'ladder.step': ['{at}, after {after}: {from} to {to}: {title}', '{at}，{after} 后：{from} 至 {to}：{title}'],
  'ladder.gap': ['{s} s later', '{s} 秒后'],
  'ladder.role.customer': ['customer', '客户'],
  'ladder.role.agent': ['agent', '坐席'],
  'ladder.role.outside': ['outside', '外部'],
  'ladder.role.helper': ['helper', '协助方'],
  'ladder.role.supervisor': ['supervisor', '主管'],
  'fault.title': ['Why it went so', '通话诊断'],
  'fault.evidence': ['Evidence', '依据'],
  'fault.wrong': ['Went wrong:', '故障：'],
  'fault.noted': ['Noted:', '说明：'],
} as const satisfies Record<string, Entry>;
