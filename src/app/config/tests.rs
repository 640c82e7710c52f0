//! The settings of the process: what wins over what, and what is refused by name.

use super::*;

#[test]
fn a_misspelt_key_is_refused_with_its_name() {
    let e = toml::from_str::<Config>("[sip]\nbnid = \"0.0.0.0:5060\"\n").unwrap_err().to_string();
    assert!(e.contains("bnid") && e.contains("bind"), "{e}");
}

#[test]
fn a_printed_configuration_shows_no_password() {
    let mut c = Config::default();
    c.data.database = Some("postgres://ring:geheim@db.local/ring".into());
    let text = c.redacted().unwrap();
    assert!(text.contains("postgres://ring:***@db.local/ring") && !text.contains("geheim"), "{text}");
}

#[test]
fn a_new_data_folder_is_nobody_elses_business() {
    use std::os::unix::fs::PermissionsExt as _;
    let outer = tempfile::tempdir().unwrap();
    let mut c = Config::default();
    c.data.dir = outer.path().join("data");
    c.make_data_dir().unwrap();
    assert_eq!(std::fs::metadata(&c.data.dir).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_certificate_without_its_key_is_refused_and_none_is_needed_without_tls() {
    let mut c = Config::default();
    assert!(c.tls_files().unwrap().is_none());
    c.sip.tls = Some("0.0.0.0:5061".parse().unwrap());
    assert!(c.tls_files().unwrap().unwrap().1, "made by us");
    c.tls.cert = Some("cert.pem".into());
    assert!(c.tls_files().unwrap_err().to_string().contains("key"));
    c.tls.key = Some("key.pem".into());
    assert!(!c.tls_files().unwrap().unwrap().1);
}

#[test]
fn listeners_have_public_addresses_of_their_own_and_mistakes_are_named_by_their_key() {
    let c: Config = toml::from_str(
        r#"
        [sip]
        bind = "10.0.0.5:5060"
        public = "198.51.100.7"
        [[sip.listen]]
        transport = "udp"
        bind = "[2001:db8::5]:5060"
        [[sip.listen]]
        transport = "tcp"
        bind = "10.0.0.6:5070"
        public = "sip.shop.example:5060"
        [[sip.listen]]
        transport = "tls"
        bind = "10.0.0.6:5071"
        public = "2001:db8::9"
        "#,
    )
    .unwrap();
    let all = c.spoken().unwrap();
    let said = |s: &Spoken| {
        let public = s.public.as_ref().map(|(h, p)| format!("{h} {}", p.unwrap_or(0)));
        format!("{} {} {}", s.transport, s.bind, public.unwrap_or_default())
    };
    let want = [
        "UDP 10.0.0.5:5060 198.51.100.7 0",
        "TCP 10.0.0.5:5060 198.51.100.7 0",
        "UDP [2001:db8::5]:5060 ",
        "TCP 10.0.0.6:5070 sip.shop.example 5060",
        "TLS 10.0.0.6:5071 [2001:db8::9] 0",
    ];
    assert_eq!(all.iter().map(said).collect::<Vec<_>>(), want);
    assert!(c.tls_files().unwrap().is_some());

    let mut wrong = c.clone();
    wrong.sip.listen[1].public = Some("sip.shop.example:many".into());
    assert!(wrong.spoken().unwrap_err().to_string().starts_with("sip.listen[1].public: "));
    let mut twice = c.clone();
    twice.sip.listen[1].bind = "10.0.0.5:5060".parse().unwrap();
    assert!(twice.spoken().unwrap_err().to_string().starts_with("sip.listen[1].bind: "));
    let sctp = "[[sip.listen]]\ntransport = \"sctp\"\nbind = \"10.0.0.5:5060\"\n";
    let e = toml::from_str::<Config>(sctp).unwrap_err().to_string();
    assert!(e.contains("transport") && e.contains("udp"), "{e}");
    for (key, change) in [("idle_s", 5), ("connections", 0)] {
        let mut c = c.clone();
        if key == "idle_s" {
            c.sip.idle_s = change
        } else {
            c.sip.connections = change as usize
        };
        assert!(c.spoken().unwrap_err().to_string().contains(key));
    }
}

#[test]
fn a_recogniser_without_its_model_or_with_a_model_that_is_not_there_is_refused_by_its_key() {
    let read = |text: &str| toml::from_str::<Config>(text).unwrap();
    assert!(read("").recognisers(|| 0).unwrap().is_none());
    let refused = |text: &str| read(text).recognisers(|| 0).unwrap_err().to_string();
    assert!(refused("[speech]\nrecogniser = \"whisper\"\n").starts_with("speech.model: "));
    assert!(refused("[speech]\nrecogniser = \"whisper\"\nthreads = 500\n").starts_with("speech.threads: "));
    let absent = refused("[speech]\nrecogniser = \"whisper\"\nmodel = \"no/such.bin\"\n");
    match cfg!(feature = "whisper") {
        true => assert!(absent.starts_with("speech.model: cannot read no/such.bin"), "{absent}"),
        false => assert!(absent.contains("was built without `whisper`"), "{absent}"),
    }
    let e = toml::from_str::<Config>("[speech]\nrecogniser = \"ear\"\n").unwrap_err().to_string();
    assert!(e.contains("recogniser") && e.contains("whisper"), "{e}");
}

#[test]
fn name_servers_are_addresses_with_or_without_a_port() {
    let mut c = Config::default();
    assert!(c.dns_servers().unwrap().is_empty());
    c.dns.servers = ["192.0.2.53", "2001:db8::53", "192.0.2.53:5353", "[2001:db8::53]:5353"].map(str::to_owned).into();
    let ports: Vec<u16> = c.dns_servers().unwrap().iter().map(SocketAddr::port).collect();
    assert_eq!(ports, [53, 53, 5353, 5353]);
    c.dns.servers = vec!["dns.example".into()];
    assert!(c.dns_servers().unwrap_err().to_string().contains("dns.servers"));
}

#[test]
fn a_range_without_a_pair_is_refused_by_name() {
    let mut c = Config::default();
    for bad in ["20000-10000", "10-20", "x", "10000", "5000-5000"] {
        c.media.rtp_ports = bad.into();
        assert!(c.rtp_ports().unwrap_err().to_string().contains("media.rtp_ports"), "{bad}");
    }
    c.media.rtp_ports = "5000-5001".into();
    assert_eq!(c.rtp_ports().unwrap(), 5000..=5001);
}
