//! Messages that wait, as a summary (RFC 3842).

/// How many messages wait for somebody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Nobody has looked at.
    pub new: u32,
    /// Looked at, and still to be answered.
    pub old: u32,
}

/// A summary for the account `sip:anna@demo.example`.
pub fn write(account: &str, waiting: Waiting) -> String {
    let Waiting { new, old } = waiting;
    let any = if new > 0 { "yes" } else { "no" };
    format!("Messages-Waiting: {any}\r\nMessage-Account: {account}\r\nVoice-Message: {new}/{old} (0/0)\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lamp_is_lit_by_new_messages_only() {
        let said = |new, old| write("sip:anna@demo.example", Waiting { new, old });
        assert_eq!(
            said(2, 1),
            "Messages-Waiting: yes\r\nMessage-Account: sip:anna@demo.example\r\nVoice-Message: 2/1 (0/0)\r\n"
        );
        assert!(said(0, 3).starts_with("Messages-Waiting: no\r\n"));
    }
}
