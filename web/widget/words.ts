// What the widget says.

const en = {
  title: 'Chat with us', intro: 'Hello! Write to us and somebody will be with you.', name: 'Your name', contact: 'Phone or e-mail', optional: '(optional)', start: 'Start the chat',
  write: 'Write a message', send: 'Send', end: 'End chat', minimise: 'Minimise', again: 'Start a new chat', closed: 'This chat has ended. Thank you!', waiting: 'You are in the queue.',
  place: 'Your place in the queue: {n}', wait: 'about {n} min', bot: 'Assistant', agent: 'Agent', withyou: 'is with you', typing: '{who} is typing', sending: 'sending', failed: 'Not sent.',
  retry: 'Try again', offline: 'Connection lost. Trying again; nothing you write is lost.', slow: 'Please write a little slower.', refused: 'The chat is not available right now.',
  toolong: 'This message is too long.', earlier: 'Earlier messages', log: 'Conversation', choose: 'Choose an answer',
  reach: 'Phone or e-mail, to answer you', message: 'Your message', leave: 'Leave the message', left: 'Thank you! We have your message and will answer you.', badcontact: 'Please give a phone number or an e-mail address.',
  closednow: 'We are closed right now. Leave a message and we will answer you.', nobody: 'Nobody is here right now. Leave a message and we will answer you.',
  howwas: 'How was this chat?', stars: '{n} of 5', good: 'Good', bad: 'Bad', comment: 'A word about it (optional)', rate: 'Send the rating', thanks: 'Thank you for your rating!',
  callme: 'Call me', callintro: 'Give us your number and we call you.', yournumber: 'Your phone number', agree: 'You may call me at this number about my request.', back: 'Back to the chat',
  badnumber: 'We cannot call this number. Please give the whole number, with its area code.', nocalls: 'We do not call right now.', willcall: 'Thank you! We call {n} as soon as somebody is free.',
  when: 'When', asap: 'As soon as somebody is free', yourclock: 'by your clock ({zone})', hourgone: 'This hour is taken. Please choose another.', waitsalready: 'This number waits to be called already.', willcallat: 'Thank you! We call {n} on {day}, soon after {time}.',
  talk: 'Talk now', connecting: 'Connecting …', ringing: 'Ringing …', talking: 'Connected', callover: 'The call has ended.', mute: 'Mute', unmute: 'Unmute', keypad: 'Keypad', hangup: 'Hang up', shut: 'Close',
  micrefused: 'The browser does not let this page use the microphone. Allow it in the address bar and try again.', nomic: 'There is no microphone that can be used.', notsecure: 'Calls work on secure pages (https) only.',
  notalks: 'Nobody can take calls right now.', manytalk: 'All lines are busy. Please try again soon.', linelost: 'The connection was lost.',
  attach: 'Send a file', save: 'Save', gone: 'no longer there', drop: 'Take back',
  why: {
    file_too_large: 'The file is too large.', file_kind: 'Files of this kind are not taken.', file_empty: 'The file is empty.', file_stalled: 'The file did not arrive whole.',
    disk_full: 'There is no room for files right now.', unavailable: 'The server cannot take it right now.', busy: 'Too many files are being sent right now.', too_fast: 'Please wait a moment.',
    limit: 'There are too many files in this chat.', files_off: 'Files are not taken here.', closed: 'The chat is over.', lost: 'Please choose the file again.', too_long: 'It is too long.',
  },
};
const zh: typeof en = {
  title: '在线咨询', intro: '您好！请留言，我们会尽快为您服务。', name: '您的称呼', contact: '电话或邮箱', optional: '（可不填）', start: '开始咨询',
  write: '输入消息', send: '发送', end: '结束会话', minimise: '最小化', again: '重新咨询', closed: '会话已结束，感谢您的咨询！', waiting: '您正在排队。',
  place: '您当前排在第 {n} 位', wait: '预计等待约 {n} 分钟', bot: '智能助手', agent: '客服', withyou: '正在为您服务', typing: '{who} 正在输入', sending: '发送中', failed: '未发送。',
  retry: '重试', offline: '连接已断开，正在重连；您输入的内容不会丢失。', slow: '发送过于频繁，请稍候。', refused: '在线咨询暂时不可用。',
  toolong: '消息过长。', earlier: '更早的消息', log: '会话内容', choose: '请选择',
  reach: '电话或邮箱（便于回复）', message: '留言内容', leave: '提交留言', left: '谢谢！我们已收到您的留言，会尽快回复。', badcontact: '请填写电话号码或邮箱。',
  closednow: '现在是非营业时间，请留言，我们会尽快回复。', nobody: '暂无客服在线，请留言，我们会尽快回复。',
  howwas: '您对本次服务满意吗？', stars: '{n} 分（满分 5 分）', good: '满意', bad: '不满意', comment: '说说您的感受（可不填）', rate: '提交评价', thanks: '感谢您的评价！',
  callme: '给我回电', callintro: '请留下电话号码，我们给您回电。', yournumber: '您的电话号码', agree: '我同意就本次咨询拨打此号码。', back: '返回在线咨询',
  badnumber: '无法拨打此号码，请填写含区号的完整号码。', nocalls: '当前不提供回电服务。', willcall: '谢谢！客服空闲后会拨打 {n}。',
  when: '回电时间', asap: '客服空闲后尽快', yourclock: '按您的当地时间（{zone}）', hourgone: '该时段已约满，请另选时间。', waitsalready: '此号码已在等待回电。', willcallat: '谢谢！我们会在{day} {time} 后尽快拨打 {n}。',
  talk: '立即通话', connecting: '正在连接…', ringing: '正在呼叫…', talking: '通话中', callover: '通话已结束。', mute: '静音', unmute: '取消静音', keypad: '拨号键盘', hangup: '挂断', shut: '关闭',
  micrefused: '浏览器不允许此页面使用麦克风。请在地址栏中允许后重试。', nomic: '没有可用的麦克风。', notsecure: '仅安全页面（https）支持通话。',
  notalks: '当前无法接听来电。', manytalk: '线路繁忙，请稍后再试。', linelost: '连接已中断。',
  attach: '发送文件', save: '保存', gone: '已不存在', drop: '撤回',
  why: {
    file_too_large: '文件过大。', file_kind: '不支持此类文件。', file_empty: '文件为空。', file_stalled: '文件未传完。', disk_full: '暂无空间存放文件。', unavailable: '服务器暂时无法接收。',
    busy: '正在接收的文件过多。', too_fast: '请稍候。', limit: '本次会话的文件过多。', files_off: '此处不接收文件。', closed: '会话已结束。', lost: '请重新选择文件。', too_long: '内容过长。',
  },
};
export type Words = typeof en;
export const wordsOf = (chinese: boolean): typeof en => (chinese ? zh : en);
