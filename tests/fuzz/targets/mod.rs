//! What must hold whatever comes: one function a target, taking any bytes, panicking where a promise is broken.
//!
//! | file | targets | what is promised, beside that nothing panics |
//! |---|---|---|
//! | `message` | `message` | what is read is written so that it reads back the same; a refusal is one message, hardly longer than what it answers |
//! | | `stream` | a stream gives the same frames wherever it is cut |
//! | | `multipart` | a description is found among the parts to the last byte, or it is said why not; what may be passed over is |
//! | | `uri`, `headers` | read, written, read again is the same; no name or value of ours can end what it stands in |
//! | | `websocket` | what came over a WebSocket is answered there or nowhere, and leaves nothing when it closes |
//! | `sdp` | `sdp` | an answer has the lines of its offer in their places, and takes nothing that was not offered |
//! | `dialog` | `dialog` | two stacks and a line in the hands of the fuzzer: each call ends once, each transaction and timer ends |
//! | `flow` | `flow` | every mistake has a place inside the file; what is accepted is judged twice the same |
//! | `identity` | `identity` | who is vouched for is who calls, freshly, by an address that may be fetched; a list of numbers is read whole or not |
//! | `keys` | `stun`, `rtp`, `srtp` | lengths inside the packet; without the key nothing opens and nothing is forgotten |
//! | `chat` | `chat` | a frame of the web chat is one of the list, with no field that is not |
//!
//! `keys` and `chat` need more than the pure floors: whoever includes this room includes them beside it.

pub mod dialog;
pub mod flow;
pub mod identity;
pub mod message;
pub mod sdp;
