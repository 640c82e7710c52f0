// What the widget says.

const en = {
  title: 'Chat with us', intro: 'Hello! Write to us and somebody will be with you.', name: 'Your name (optional)', contact: 'Phone or e-mail (optional)', start: 'Start the chat',
  write: 'Write a message', send: 'Send', end: 'End chat', minimise: 'Minimise', again: 'Start a new chat', closed: 'This chat has ended. Thank you!', waiting: 'You are in the queue.',
  place: 'Your place in the queue: {n}', wait: 'about {n} min', bot: 'Assistant', agent: 'Agent', withyou: 'is with you', typing: '{who} is typing', sending: 'sending', failed: 'Not sent.',
  retry: 'Try again', offline: 'Connection lost. Trying again; nothing you write is lost.', slow: 'Please write a little slower.', refused: 'The chat is not available right now.',
  toolong: 'This message is too long.', log: 'Conversation', choose: 'Choose an answer',
};
const zh: typeof en = {
  title: '在线咨询', intro: '您好！请留言，我们会尽快为您服务。', name: '您的称呼（可不填）', contact: '电话或邮箱（可不填）', start: '开始咨询',
  write: '输入消息', send: '发送', end: '结束会话', minimise: '最小化', again: '重新咨询', closed: '会话已结束，感谢您的咨询！', waiting: '您正在排队。',
  place: '您当前排在第 {n} 位', wait: '预计等待约 {n} 分钟', bot: '智能助手', agent: '客服', withyou: '正在为您服务', typing: '{who} 正在输入', sending: '发送中', failed: '未发送。',
  retry: '重试', offline: '连接已断开，正在重连；您输入的内容不会丢失。', slow: '发送过于频繁，请稍候。', refused: '在线咨询暂时不可用。',
  toolong: '消息过长。', log: '会话内容', choose: '请选择',
};
export const wordsOf = (chinese: boolean): typeof en => (chinese ? zh : en);
