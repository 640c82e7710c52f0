//! Every bound of the house by name. The line that meets a bound says who is disappointed: oldest, newest, or peer.

use std::time::Duration;

use super::time::{mins, ms, secs};

/// Largest SIP message taken, bytes (RFC 3261 18.1.1 allows 65535 on UDP). Larger: the peer gets 513.
pub const SIP_MESSAGE_MAX: usize = 65_535;
/// Most header lines in a SIP message. More: 400.
pub const SIP_HEADERS_MAX: usize = 256;
/// Longest SIP header line after unfolding, bytes. Longer: 400.
pub const SIP_LINE_MAX: usize = 8_192;
/// Most values of one list header that are looked at (Via, Route, Contact). More: 400.
pub const SIP_LIST_MAX: usize = 64;
/// Most parts of one multipart body. More: 415.
pub const SIP_BODY_PARTS_MAX: usize = 16;
/// How deep multiparts may stand inside each other. Deeper: 415.
pub const SIP_BODY_DEPTH_MAX: usize = 3;
/// A stream peer that has sent half a message must send the rest within this.
pub const SIP_STREAM_STALL: Duration = secs(15);
/// A phone that registers over a stream sends a keep-alive at least this often (RFC 5626 4.4.1); sooner than NATs forget it.
pub const SIP_FLOW_TIMER: Duration = secs(120);
/// A stream without a message or keep-alive is closed after this.
pub const SIP_STREAM_IDLE: Duration = mins(15);
/// Most SIP stream connections at once; the newest is refused.
pub const SIP_STREAMS_MAX: usize = 10_000;
/// Most SIP stream connections from one address.
pub const SIP_STREAMS_PER_IP: usize = 256;
/// Messages waiting to be written to one stream; more means its peer does not read: the message is refused to the sender.
pub const SIP_STREAM_QUEUE: usize = 256;
/// A stream to a peer must be open within this.
pub const SIP_CONNECT_TIMEOUT: Duration = secs(5);
/// A stream that cannot be framed stays open this long, so that the answer saying so gets out.
pub const SIP_STREAM_LINGER: Duration = secs(1);
/// A call with more places than one tries the next when nothing has come back from one for this long.
pub const SIP_NEXT_TARGET: Duration = secs(4);
/// A name must be resolved within this; what has been found by then is used.
pub const DNS_PATIENCE: Duration = secs(4);
/// Most names being resolved at once; the newest is refused.
pub const DNS_WAITING_MAX: usize = 4_096;
/// Most records of one answer that are looked at; the rest is ignored.
pub const DNS_RECORDS_MAX: usize = 32;
/// Most places one name leads to; the least preferred are left out.
pub const DNS_TARGETS_MAX: usize = 16;
/// Most answers remembered; the one that ends first goes.
pub const DNS_CACHE_MAX: usize = 4_096;
/// An answer is good for at least this, longer than it takes to resolve a name with it.
pub const DNS_TTL_MIN: Duration = secs(10);
/// And for at most this.
pub const DNS_TTL_MAX: Duration = mins(60);
/// That there is no such name is believed at most this long.
pub const DNS_NEGATIVE_MAX: Duration = mins(5);
/// A name server that failed is asked again after this.
pub const DNS_FAILED_LIFE: Duration = secs(10);
/// How long after its end the last good answer is still used while the name servers fail (RFC 8767).
pub const DNS_STALE_LIFE: Duration = mins(24 * 60);
/// Most SIP transactions alive; a new request beyond gets 503.
pub const SIP_TRANSACTIONS_MAX: usize = 100_000;
/// Addresses whose requests are counted apart; the newest beyond share one account.
pub const SIP_GATE_SOURCES_MAX: usize = 50_000;
/// Wrong passwords count together within this.
pub const SIP_STRIKES_WITHIN: Duration = mins(10);
/// Nobody listens to a banned address for this long. Short, for an address can be forged.
pub const SIP_BAN: Duration = mins(10);
/// Whoever is turned away under load is asked to come back after a random time between these two.
pub const SHED_RETRY_MIN_S: u64 = 5;
/// The longest such time.
pub const SHED_RETRY_MAX_S: u64 = 30;
/// Most dialogs alive; a new INVITE beyond gets 503.
pub const SIP_DIALOGS_MAX: usize = 50_000;
/// Most provisional responses to one INVITE that wait for the one before to be acknowledged; the oldest is left out.
pub const SIP_PROVISIONALS_MAX: usize = 8;
/// Most REFERs of one call that are being carried out; the next is refused.
pub const SIP_REFERS_MAX: usize = 4;
/// Most subscriptions (lamps of phones) alive; a new one beyond gets 503.
pub const SIP_SUBSCRIPTIONS_MAX: usize = 50_000;
/// Most subscriptions of one user, all phones together; a new one beyond gets 403.
pub const SIP_SUBSCRIPTIONS_PER_USER: usize = 256;
/// NOTIFYs of one subscription are at least this far apart, but for the one that answers a SUBSCRIBE (in the manner of RFC 6446).
pub const SIP_NOTIFY_GAP: Duration = ms(500);
/// A NOTIFY that was not taken is said again after this.
pub const SIP_NOTIFY_RETRY: Duration = secs(5);
/// After so many in a row the phone is gone.
pub const SIP_NOTIFY_TRIES: u32 = 3;
/// Longest text of a MESSAGE between phones, bytes (RFC 3428 8 advises 1,300 for the whole request). Longer: 413.
pub const SIP_PAGER_MAX: usize = 1_000;
/// A carrier that was asked to take a call away must have done it within this; else the call is bridged.
pub const SIP_TAKE_AWAY: Duration = secs(40);
/// Most redirections (3xx) one call follows; the next is its refusal.
pub const SIP_REDIRECTS_MAX: usize = 3;
/// Most keys that wait to be sent to one peer in INFO; the last are dropped.
pub const INFO_KEYS_MAX: usize = 64;
/// Most bindings of one address of record (RFC 3261 10.3); the registration beyond is refused.
pub const SIP_BINDINGS_PER_AOR: usize = 10;
/// Most short-lived logins of one user (browser tabs); the oldest goes.
pub const SIP_GRANTS_PER_USER: usize = 8;
/// How long such a login is good for; the page asks for the next one before that.
pub const SIP_GRANT_LIFE: Duration = mins(10);
/// A WebSocket that sends nothing for this long, not even the answer to a ping, is gone.
pub const SIP_WEB_SILENCE: Duration = secs(75);
/// How often a WebSocket is pinged (RFC 7118 6): shorter than what proxies and NATs take for the end.
pub const SIP_WEB_PING: Duration = secs(25);
/// A STUN question on the SIP port is answered once in this time for each address: phones ask every half minute.
pub const SIP_STUN_EVERY: Duration = secs(10);
/// Most addresses whose STUN questions are remembered; the newest gets no answer.
pub const SIP_STUN_SOURCES_MAX: usize = 20_000;
/// A peer that does not acknowledge what a stream carries, data or probe, is gone after this.
pub const SIP_STREAM_DEAD: Duration = secs(40);
/// How long a digest nonce is good for.
pub const SIP_NONCE_LIFE: Duration = mins(5);
/// Most nonces whose use counts are remembered; the oldest is forgotten and its user asked again.
pub const SIP_NONCES_MAX: usize = 100_000;
/// Callers whose use of the trunks is counted apart; the newest beyond share one account.
pub const GUARD_SOURCES_MAX: usize = 10_000;
/// Most calls out of a tenant that a restart remembers for the caps; the oldest are forgotten.
pub const GUARD_BOOKS_MAX: usize = 50_000;
/// What the caps of the toll-fraud guard look back on.
pub const GUARD_WINDOW: Duration = mins(60);
/// Most messages of one Call-ID kept for its ladder; the oldest goes.
pub const LADDER_MESSAGES_MAX: usize = 256;
/// Most bytes of them; the oldest goes.
pub const LADDER_BYTES_MAX: usize = 256 << 10;
/// Most bytes of the ladders of all calls in progress; the oldest call loses what it has so far.
pub const LADDERS_BYTES_MAX: usize = 64 << 20;
/// Calls that belong to no contact whose messages are kept; the oldest goes.
pub const LADDER_STRAYS_MAX: usize = 1_024;
/// Most Call-IDs of one leg in its ladder (phones that ring, carriers tried); the newest is left out.
pub const LADDER_TRAILS_PER_LEG: usize = 16;
/// Most legs in the ladder of one contact; the oldest goes.
pub const LADDER_LEGS_MAX: usize = 64;
/// A ladder is put away so long after the last leg is gone: the answer to a BYE still belongs to it.
pub const LADDER_LINGER: Duration = secs(5);
/// Ladders waiting to be stored; the newest is lost.
pub const LADDERS_WAITING_MAX: usize = 4_096;
/// Most rows of the course of a leg's sound: a quarter of an hour at five seconds; of a longer one each row tells of more.
pub const QUALITY_SPANS_MAX: usize = 180;
/// Most intervals of one report: a month of quarters of an hour.
pub const REPORT_INTERVALS_MAX: usize = 3_000;
/// Most rows of each kind (stays, segments, offers) one report is counted from; of a longer span a part is asked for.
pub const REPORT_ROWS_MAX: usize = 1_000_000;
/// Most reports a tenant keeps.
pub const REPORTS_SAVED_MAX: usize = 100;
/// Most results kept of a report that comes by itself; the oldest goes.
pub const REPORT_FILES_MAX: usize = 60;
/// Largest SDP body, bytes.
pub const SDP_MAX: usize = 16_384;
/// Most media sections in an SDP.
pub const SDP_MEDIA_MAX: usize = 16;

/// An agent whose phone is lost in the middle of a talk is waited for so long, while the customer hears music.
pub const AGENT_LOST_GRACE: Duration = secs(20);

/// Largest flow file, bytes.
pub const FLOW_BYTES_MAX: usize = 1 << 20;
/// The flows a tenant has published, bytes together: they travel with the configuration.
pub const FLOWS_PUBLISHED_BYTES_MAX: usize = 192 * 1024;
/// Steps of one try of a flow, at most.
pub const FLOW_TRY_STEPS_MAX: usize = 200;
/// Nodes entered that are counted for the figures of a flow; older ones are left out.
pub const FLOW_COUNTED_MAX: usize = 200_000;
/// A canned reply, characters.
pub const CANNED_TEXT_MAX: usize = 2_000;
/// Most nodes in a flow.
pub const FLOW_NODES_MAX: usize = 1_000;
/// Most steps a run may take without waiting for the outside: beyond is a loop the linter missed; the run takes its error edge.
pub const FLOW_STEPS_MAX: u32 = 200;
/// Deepest nesting of sub-flow calls.
pub const FLOW_DEPTH_MAX: usize = 8;
/// Deepest nesting of an expression.
pub const EXPR_DEPTH_MAX: usize = 32;
/// Longest expression, characters.
pub const EXPR_CHARS_MAX: usize = 1_000;
/// Most parts of one expression.
pub const EXPR_PARTS_MAX: usize = 256;
/// Deepest nesting of mappings and lists in a flow file.
pub const FLOW_NESTING_MAX: usize = 24;
/// Mistakes listed of one flow file; after so many it is something else.
pub const FLOW_ERRORS_MAX: usize = 50;
/// Most items of a list, or fields of an answer from outside, that a flow keeps; the last are dropped.
pub const FLOW_LIST_MAX: usize = 256;
/// Keys typed ahead that a run keeps; the newest are dropped.
pub const FLOW_TYPED_AHEAD_MAX: usize = 32;
/// A prompt that does not report its end within this is taken as played: the media plane has lost it.
pub const FLOW_SAY_MAX: Duration = mins(10);
/// Longest text a flow variable may hold, bytes.
pub const FLOW_TEXT_MAX: usize = 8_192;

/// Most interactions waiting in one tenant; beyond, the newest overflows as "full".
pub const WAITING_MAX: usize = 100_000;
/// Free agents compared for one offer, where the queue keeps them in order anyway; all of these having something else to take
/// first, one of those goes first.
pub const CANDIDATES_MAX: usize = 16;
/// Agents who could take it written out in one decision record, the best first; the rest is counted.
pub const DECISION_ABLE_MAX: usize = 5;
/// Agents kept from it written out in one decision record; the rest is counted by what kept them.
pub const DECISION_KEPT_MAX: usize = 5;
/// Members of a queue looked at for that; the rest is counted only.
pub const DECISION_LOOKED_MAX: usize = 50;

/// Longest chat message, bytes of UTF-8. Longer: refused, the visitor keeps the text.
pub const MESSAGE_MAX: usize = 16_384;
/// Most messages of one conversation kept in memory; older ones are read from the store.
pub const MESSAGES_IN_MEMORY: usize = 500;
/// Messages a visitor may send per minute; more are refused with a hint.
pub const VISITOR_MESSAGES_PER_MIN: u32 = 60;
/// Most connections (browser tabs) one party may have to one conversation; the newest is refused.
pub const TABS_PER_PARTY: usize = 8;
/// Most agents in one conversation; the newest is refused.
pub const AGENTS_PER_CONVERSATION: usize = 16;
/// "Is typing" goes out by itself after this, in case the browser dies with a key pressed.
pub const TYPING_LASTS: Duration = secs(6);

/// Longest ticket title, characters. Longer: refused.
pub const TITLE_MAX: usize = 200;
/// Most named lists of one person, of tickets, customers and contacts together; the next is refused.
pub const VIEWS_MAX: usize = 100;
/// Most named lists a tenant shares with everybody; the next is refused.
pub const VIEWS_SHARED_MAX: usize = 200;
/// Longest name of such a list, characters.
pub const VIEW_NAME_MAX: usize = 60;
/// Most tickets changed by one request; more are refused.
pub const TICKETS_AT_ONCE: usize = 200;
/// Most customers changed by one request; more are refused.
pub const CUSTOMERS_AT_ONCE: usize = 200;
/// Most tickets whose logs are shown inside the one they were merged into; the rest is named only.
pub const MERGED_SHOWN_MAX: usize = 10;
/// Most tags of a ticket or a customer; the next is refused.
pub const TAGS_MAX: usize = 64;
/// Longest tag, characters.
pub const TAG_MAX: usize = 64;
/// Most entries in one ticket's log; beyond, a follow-up ticket has to be opened.
pub const TICKET_LOG_MAX: usize = 10_000;
/// Most identities of one customer; the next is refused.
pub const IDENTITIES_MAX: usize = 64;
/// Most free attributes of one customer; the next is refused.
pub const ATTRIBUTES_MAX: usize = 128;
/// Longest name or attribute of a customer, bytes.
pub const ATTRIBUTE_MAX: usize = 1_024;
/// Most consent entries of one customer; the oldest goes (the journal has them all).
pub const CONSENTS_MAX: usize = 256;

/// Inputs waiting for the loop; beyond, SIP over UDP is dropped (peers repeat), everything else waits.
pub const INBOX_MAX: usize = 16_384;
/// Facts waiting for the store; beyond, new interactions are refused with 503.
pub const JOURNAL_BACKLOG_MAX: usize = 100_000;
/// Facts the journal holds at the very most while the store is away: admission stopped long before. Beyond, the node must
/// stop: a fact that is not kept leaves a hole nothing after it can be read across.
pub const JOURNAL_BACKLOG_HARD: usize = 4 * JOURNAL_BACKLOG_MAX;
/// Tickets, and customers, the journal keeps folded; beyond, they are read again when they change.
pub const FOLDS_KEPT: usize = 2_000;
/// Customers, each with their tickets, the center keeps in memory of those nobody has to do with at the moment; who was longest
/// untouched is read from the store again when they call.
pub const CUSTOMERS_KEPT: usize = 2_000;
/// Identities of customers who are not in memory that are remembered, by a print of eight bytes; beyond, the store is asked about
/// every number that is not known.
pub const OUTSIDE_KNOWN_MAX: usize = 4_000_000;
/// Calls, commands and clocks that wait for what the store knows of a customer; beyond, they are refused.
pub const RECALLS_MAX: usize = 10_000;
/// Tickets of one customer read back at once, those something happened to last.
pub const TICKETS_RECALLED_MAX: usize = 500;
/// Rows of a list answered at once; who asks for more gets this many and a cursor.
pub const LIST_MAX: usize = 500;
/// Characters of a search that count.
pub const SEARCH_CHARS_MAX: usize = 200;
/// Words of a customer's name they are found by; further ones only show.
pub const NAME_WORDS_MAX: usize = 16;
/// Characters of such a word that count.
pub const NAME_WORD_CHARS_MAX: usize = 64;
/// Facts in one group commit.
pub const JOURNAL_BATCH_MAX: usize = 2_000;
/// Events a slow console may be behind before it gets a fresh snapshot instead.
pub const EVENTS_BEHIND_MAX: usize = 4_096;

/// Requests of a tenant that name themselves, within a day.
pub const REQUESTS_NAMED_MAX: usize = 100_000;
/// An agent's number outside has so long to press 1 after it answered; then it was a mailbox.
pub const CONFIRM_WITHIN: Duration = secs(15);
/// Keys an agent may send at once.
pub const KEYS_MAX: usize = 32;
/// An offer rings this long unless the queue says otherwise.
pub const RING_DEFAULT: Duration = secs(20);
/// A caller who was cut off finds the old place for this long when calling again.
pub const PLACE_KEPT: Duration = mins(15);
/// Customers of a tenant who wait to be called back.
pub const CALLBACKS_MAX: usize = 10_000;
/// Most calls to a customer who wants to be called back.
pub const CALLBACK_ATTEMPTS_MAX: u32 = 10;
/// Between two of them, at least.
pub const CALLBACK_GAP_MIN: Duration = secs(10);
/// And at most.
pub const CALLBACK_GAP_MAX: Duration = mins(24 * 60);
/// Nobody is called back after so long.
pub const CALLBACK_LIFE: Duration = mins(72 * 60);
/// A machine that has answered is given so long to beep.
pub const CALLBACK_BEEP_WITHIN: Duration = secs(60);
/// What is said to a machine, characters.
pub const CALLBACK_MESSAGE_MAX: usize = 1_000;
/// Calls one visitor may ask for in ten minutes.
pub const CALL_ME_PER_VISITOR: u32 = 3;
/// Calls that may be asked for from one address in ten minutes.
pub const CALL_ME_PER_ADDRESS: u32 = 10;
/// Calls to one number that visitors may ask for in a day.
pub const CALL_ME_PER_NUMBER: u32 = 5;
/// Customers a configuration may let choose the same hour to be called back at.
pub const CALLBACK_EACH_MAX: u32 = 1_000;
/// Days ahead such an hour may be.
pub const CALLBACK_DAYS_MAX: u32 = 30;
/// Hours a visitor is shown to choose from.
pub const CALLBACK_HOURS_SHOWN: usize = 500;
/// Times one visitor may ask for a login to talk in ten minutes: a page that is tried, closed and opened again.
pub const TALK_NOW_PER_VISITOR: u32 = 6;
/// Such logins from one address in ten minutes: an office behind one router.
pub const TALK_NOW_PER_ADDRESS: u32 = 20;
/// How long such a login waits for its one call: as long as a person needs to allow the microphone.
pub const TALK_NOW_GRANT_LIFE: Duration = mins(2);
/// Visitors of one tenant who talk, or may, at once: the most a configuration may say.
pub const TALK_NOW_AT_ONCE_MAX: u32 = 200;
/// Longest such call a configuration may allow, minutes.
pub const TALK_NOW_MINUTES_MAX: u32 = 240;
/// Longest voicemail.
pub const VOICEMAIL_MAX: Duration = mins(5);
/// Two DTMF digits are taken as typed ahead when they come within this of each other.
pub const INTER_DIGIT_DEFAULT: Duration = ms(3_000);

/// Waiting interactions written out in one decision record; the rest is counted.
pub const DECISION_RIVALS_MAX: usize = 8;
/// Agents rung at once for one interaction; who has been free longest comes first.
pub const RING_ALL_MAX: usize = 50;
/// Longest after-call work, extensions included.
pub const WRAP_UP_MAX: Duration = mins(15);
/// Largest file of a chat where the tenant says nothing, kilobytes: a photograph of a telephone.
pub const FILE_DEFAULT_KB: u32 = 10_240;
/// The largest a tenant may allow, kilobytes.
pub const FILE_MAX_KB: u32 = 102_400;
/// Most files of one chat where the tenant says nothing; the next is refused.
pub const FILES_PER_CHAT: u32 = 50;
/// Longest name of a file, characters; the end is cut.
pub const FILE_NAME_MAX: usize = 120;
/// So many first bytes of a file are looked at to see what it is.
pub const FILE_HEAD: usize = 4_096;
/// Files being received at once in the whole process; the newest is refused.
pub const FILES_AT_ONCE: usize = 64;
/// A sender who sends nothing of a file for so long is given up.
pub const FILE_STALL: Duration = secs(20);
/// A file that is not here after this is given up.
pub const FILE_PATIENCE: Duration = mins(10);
/// With less free space than this, bytes, no file is taken.
pub const FILE_FREE_MIN: u64 = 256 << 20;
/// Files one visitor may send in a minute; the next is refused.
pub const VISITOR_FILES_PER_MIN: u32 = 20;
/// A file that no message names is removed after this: somebody may still be about to name it before.
pub const FILE_UNNAMED: Duration = mins(24 * 60);
/// Messages of a long chat a visitor's page is shown at first, and at each time it asks for more.
pub const MESSAGES_SHOWN: usize = 100;
/// Questions of the house before a chat.
pub const CHAT_FIELDS_MAX: usize = 8;
/// Longest answer to one, characters; the end is cut.
pub const CHAT_ANSWER_MAX: usize = 200;
/// Longest words a visitor leaves while nobody is there, characters; the end is cut.
pub const LEFT_MAX: usize = 4_000;
/// Messages one address may leave in ten minutes, and one visitor; the next is refused.
pub const LEFT_PER_ADDRESS: u32 = 10;
/// And one visitor.
pub const LEFT_PER_VISITOR: u32 = 3;
/// Longest words with a rating, characters; the end is cut.
pub const RATING_COMMENT_MAX: usize = 1_000;
/// A chat can be rated so long after its end.
pub const RATE_WITHIN: Duration = mins(24 * 60);
/// Longest note of a disposition, bytes.
pub const NOTE_MAX: usize = 4_096;
/// Ended offers whose end is remembered for late answers; the oldest is forgotten.
pub const OFFERS_REMEMBERED: usize = 1_000;
/// Longest text synthesised in one piece, characters. Longer: refused; no caller listens for five minutes.
pub const SPEECH_TEXT_MAX: usize = 2_000;
/// Most a synthesiser may write for one text, bytes: five minutes at 22 kHz. More: it is stopped.
pub const SPEECH_BYTES_MAX: usize = 14 << 20;
/// Synthesisers running at once; further texts wait their turn.
pub const SPEECH_AT_ONCE: usize = 2;
/// A text that is not sound after this, waiting included, is given up.
pub const SPEECH_TIMEOUT: Duration = secs(10);
/// Synthesised files kept on disk; over it the oldest quarter goes and is made again when asked for.
pub const SPEECH_FILES_MAX: usize = 20_000;
/// Utterances waiting for a recogniser; the newest beyond is answered with nothing.
pub const UTTERANCES_WAITING_MAX: usize = 64;
/// Sound kept for a recogniser that does not come to read it, milliseconds; what comes after is not heard.
pub const EAR_PIPE_MS: u32 = 1_000;
/// Most people listened to at once in the whole process; the next one is not heard.
pub const EARS_MAX: usize = 1_000;
/// From the first word of an answer until a flow stops waiting for what was said: the longest utterance, and as long again
/// for recognising it.
pub const SPEECH_ANSWER_MAX: Duration = secs(20);
/// Longest line of a transcript, characters; the end is left out.
pub const TRANSCRIPT_LINE_MAX: usize = 1_000;
/// Most threads that recognise speech.
pub const RECOGNISERS_MAX: usize = 64;
/// Most prompts in one playback. More: the playback is refused.
pub const PROMPTS_PER_PLAY: usize = 64;
/// Sound of prompts kept in memory, bytes; the least recently played goes.
pub const PROMPT_CACHE_BYTES: usize = 128 << 20;
/// Prompts read or synthesised at once; further ones wait their turn.
pub const PROMPT_LOADS_AT_ONCE: usize = 16;
/// A playback whose prompts are not there after this is given up.
pub const PROMPT_LOAD_TIMEOUT: Duration = secs(15);
/// Longest tone or silence of a prompt.
pub const PROMPT_TONE_MAX: Duration = secs(60);
/// How often the free space for recordings is looked at.
pub const DISK_WATCH_EVERY: Duration = secs(3);
/// With less free space than this, bytes, nothing is recorded (about three hours of one call).
pub const RECORD_FREE_MIN: u64 = 256 << 20;
/// Most live copies of one call to programs outside; the next is refused. The engine has room for twice as many taps.
pub const STREAMS_PER_CALL: usize = 4;
/// Sound kept for such a program while it does not read, milliseconds; what comes after is lost to it, and counted.
pub const STREAM_PIPE_MS: u32 = 4_000;
/// Most live copies of the whole process; the next one fails.
pub const STREAMS_MAX: usize = 2_000;
/// Most webhooks of a tenant; the newest is refused.
pub const WEBHOOKS_MAX: usize = 20;
/// Most deliveries of one webhook at once.
pub const WEBHOOK_AT_ONCE_MAX: usize = 8;
/// Most deliveries on their way at once; the newest wait.
pub const WEBHOOK_FLIGHTS_MAX: usize = 256;
/// A receiver must have answered within this.
pub const WEBHOOK_PATIENCE: Duration = secs(15);
/// Bytes of an answer that are kept; the rest is not read.
pub const WEBHOOK_ANSWER_MAX: usize = 2_048;
/// Most deliveries of one webhook that are kept when they are over; the oldest go.
pub const WEBHOOK_LOG_MAX: usize = 5_000;
/// And for how long.
pub const WEBHOOK_LOG_LIFE: Duration = mins(30 * 24 * 60);
/// Most events told again at one request; the newest are left out.
pub const WEBHOOK_AGAIN_MAX: usize = 10_000;
/// A secret that was replaced signs for so long beside the new one.
pub const WEBHOOK_SECRET_OVERLAP: Duration = mins(24 * 60);
/// Most Identity headers of one call that are looked at; the rest is ignored.
pub const STIR_HEADERS_MAX: usize = 8;
/// Longest address of a certificate, bytes; a longer one is not fetched.
pub const STIR_URL_MAX: usize = 512;
/// Most calls that wait until their callers are verified; the next is taken as one whose certificate cannot be had.
pub const STIR_WAITING_MAX: usize = 1_000;
/// Signatures remembered, so that each serves one call; beyond it the oldest would pass again.
pub const STIR_SEEN_MAX: usize = 65_536;
/// A call waits no longer to be verified. Longer than a fetch takes, shorter than carriers wait for a sign of life.
pub const STIR_PATIENCE: Duration = secs(5);
/// A certificate must be fetched within this.
pub const STIR_FETCH_TIMEOUT: Duration = secs(3);
/// Largest chain of certificates taken, bytes.
pub const STIR_CHAIN_BYTES: usize = 64 << 10;
/// Most certificates of one chain; longer ones are refused.
pub const STIR_CHAIN_MAX: usize = 8;
/// Most fetches at once; the next wait their turn.
pub const STIR_FETCHES_AT_ONCE: usize = 16;
/// Most fetches a minute, whoever makes us; the next is refused.
pub const STIR_FETCHES_PER_MIN: u32 = 240;
/// Most addresses whose chains are remembered; the one that ends first goes.
pub const STIR_CACHE_MAX: usize = 1_000;
/// A chain is remembered at least this long.
pub const STIR_CACHE_MIN: Duration = mins(1);
/// As long as this where its server does not say how long.
pub const STIR_CACHE_USUAL: Duration = mins(60);
/// And never longer.
pub const STIR_CACHE_LONGEST: Duration = mins(24 * 60);
/// That a chain cannot be had is believed this long.
pub const STIR_CACHE_FAILED: Duration = secs(30);
/// Most rules for alerts of a tenant; more are refused.
pub const ALERT_RULES_MAX: usize = 200;
/// Alerts that are over are told of so many; the oldest go.
pub const ALERTS_PAST_MAX: usize = 200;
/// Most entries of the audit log in one table; of more, the newest.
pub const AUDIT_EXPORT_MAX: usize = 100_000;
/// Most API keys of a tenant; the next is refused.
pub const API_KEYS_MAX: usize = 200;
/// Most logins of a tenant; the next is refused.
pub const USERS_MAX: usize = 10_000;
/// Keys of whose use something is remembered between two notes of it; more are noted more often.
pub const KEYS_NOTED_MAX: usize = 10_000;
/// Most legal holds of a tenant; the next is refused.
pub const HOLDS_MAX: usize = 1_000;
