//! SIPp's calls, written down step by step; the XML is made from them. A step is a line of the story of a
//! test. Trap: a message that no step expects ends SIPp's call, so what may come is `may`.
use crate::ear::Ear;
use crate::house::House;
use crate::process::{PATIENCE, Process, text, to_file, wait_at_most};
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// Media at the harness's ear.
pub const PCMA: &str = "v=0
o=sipp 1 1 IN IP[media_ip_type] [media_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [ear] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=sendrecv
";

/// As [`PCMA`], but at SIPp's own port, which it can play captures from.
pub fn own_media() -> String {
    PCMA.replace("[ear]", "[auto_media_port]")
}

pub fn hold() -> String {
    PCMA.replace("o=sipp 1 1", "o=sipp 1 2").replace("sendrecv", "sendonly")
}

pub fn resume() -> String {
    PCMA.replace("o=sipp 1 1", "o=sipp 1 3")
}

#[derive(Default)]
pub struct Scenario {
    steps: String,
    seq: u32,
}

impl Scenario {
    pub fn new() -> Scenario {
        Scenario { steps: String::new(), seq: 1 }
    }

    fn send(mut self, attributes: &str, message: &str) -> Scenario {
        let _ = writeln!(self.steps, "<send{attributes}><![CDATA[\n{message}\n]]></send>");
        self
    }

    /// A request outside or inside of the dialog, with `more` headers.
    fn request(self, method: &str, seq: u32, attributes: &str, more: &str, body: &str) -> Scenario {
        let kind = match (body, method) {
            ("", _) => "",
            _ if more.contains("Content-Type") => "",
            (_, "INFO") => "Content-Type: application/dtmf-relay\n",
            _ => "Content-Type: application/sdp\n",
        };
        let (uri, to) = match method {
            "INVITE" if seq == 1 => ("sip:[service]@[remote_ip]:[remote_port]", ""),
            "CANCEL" | "OPTIONS" | "NONSENSE" | "SUBSCRIBE" => {
                ("sip:[service]@[remote_ip]:[remote_port]", "")
            }
            _ => ("[next_url]", "[peer_tag_param]"),
        };
        let branch = if method == "CANCEL" { "[branch-CANCELLED]" } else { "[branch]" };
        let message = format!(
            "{method} {uri} SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch};rport\n\
             From: <sip:sipp@[local_ip]:[local_port]>;tag=[pid]s[call_number]\n\
             To: <sip:[service]@[remote_ip]:[remote_port]>{to}\nCall-ID: [call_id]\nCSeq: {seq} {method}\n\
             Contact: <sip:sipp@[contact];transport=[transport]>\nMax-Forwards: 70\n{more}{kind}\
             Content-Length: [len]\n\n{body}"
        );
        // The branch of the INVITE that is cancelled, as SIPp counts: the message just before.
        let message = message.replace("[branch-CANCELLED]", "[branch-1]");
        self.send(attributes, &message)
    }

    pub fn invite(self, sdp: &str) -> Scenario {
        self.request("INVITE", 1, " retrans=\"500\"", "", sdp)
    }

    pub fn invite_with(self, headers: &str, sdp: &str) -> Scenario {
        self.request("INVITE", 1, " retrans=\"500\"", headers, sdp)
    }

    /// A request outside of any dialog.
    pub fn method(self, method: &str) -> Scenario {
        self.request(method, 1, " retrans=\"500\"", "", "")
    }

    pub fn cancel(self) -> Scenario {
        self.request("CANCEL", 1, " retrans=\"500\"", "", "")
    }

    pub fn expect(mut self, code: u16) -> Scenario {
        let rrs = if (180..300).contains(&code) { " rrs=\"true\"" } else { "" };
        let _ = writeln!(self.steps, "<recv response=\"{code}\"{rrs} timeout=\"30000\"/>");
        self
    }

    /// As `expect`, with a text that the answer must hold.
    pub fn expect_with(mut self, code: u16, text: &str) -> Scenario {
        let rrs = if (180..300).contains(&code) { " rrs=\"true\"" } else { "" };
        let _ = writeln!(
            self.steps,
            "<recv response=\"{code}\"{rrs} timeout=\"30000\"><action><ereg regexp=\"{text}\" search_in=\"msg\" \
             check_it=\"true\" assign_to=\"1\"/></action></recv>\n<Reference variables=\"1\"/>"
        );
        self
    }

    /// What may come before the next step.
    pub fn may(mut self, code: u16) -> Scenario {
        let _ = writeln!(self.steps, "<recv response=\"{code}\" optional=\"true\" rrs=\"true\"/>");
        self
    }

    pub fn expect_request(mut self, method: &str) -> Scenario {
        let _ = writeln!(self.steps, "<recv request=\"{method}\" timeout=\"60000\"/>");
        self
    }

    /// Answers the last request.
    pub fn reply(self, line: &str) -> Scenario {
        self.send(
            "",
            &format!(
                "SIP/2.0 {line}\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n\
                 Content-Length: 0\n"
            ),
        )
    }

    pub fn ack(self) -> Scenario {
        let seq = self.seq;
        self.request("ACK", seq, "", "", "")
    }

    pub fn ack_with(self, sdp: &str) -> Scenario {
        let seq = self.seq;
        self.request("ACK", seq, "", "", sdp)
    }

    /// ACK of a refusal: hop by hop, with the branch of the INVITE.
    pub fn ack_refusal(self) -> Scenario {
        self.send(
            "",
            "ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0\n\
             Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch-BACK];rport\n\
             From: <sip:sipp@[local_ip]:[local_port]>;tag=[pid]s[call_number]\n[last_To:]\nCall-ID: [call_id]\n\
             CSeq: 1 ACK\nMax-Forwards: 70\nContent-Length: 0\n",
        )
    }

    /// Calls through to an answer.
    pub fn answered(self) -> Scenario {
        self.invite(PCMA).may(100).may(180).may(183).expect(200).ack()
    }

    pub fn reinvite(mut self, sdp: &str) -> Scenario {
        self.seq += 1;
        let seq = self.seq;
        self.request("INVITE", seq, " retrans=\"500\"", "", sdp).may(100).expect(200).ack()
    }

    /// A key by SIP INFO.
    pub fn info(mut self, key: char) -> Scenario {
        self.seq += 1;
        let seq = self.seq;
        self.request("INFO", seq, " retrans=\"500\"", "", &format!("Signal={key}\nDuration=160\n"))
            .expect(200)
    }

    pub fn bye(mut self) -> Scenario {
        self.seq += 1;
        let seq = self.seq;
        self.request("BYE", seq, " retrans=\"500\"", "", "").expect(200)
    }

    pub fn pause(mut self, ms: u32) -> Scenario {
        let _ = writeln!(self.steps, "<pause milliseconds=\"{ms}\"/>");
        self
    }

    /// Plays one of SIPp's captures from SIPp's own port.
    pub fn play(mut self, capture: &str) -> Scenario {
        let _ = writeln!(
            self.steps,
            "<nop><action><exec play_pcap_audio=\"/usr/share/sip-tester/{capture}\"/></action></nop>"
        );
        self
    }

    /// The engine's BYE crosses one of our own: each is answered after it was sent.
    pub fn byes_cross(mut self) -> Scenario {
        let keep = |header: &str, n: u32| {
            format!(
                "<ereg regexp=\"[^ ].*\" search_in=\"hdr\" header=\"{header}:\" check_it=\"true\" assign_to=\"{n}\"/>"
            )
        };
        let _ = writeln!(
            self.steps,
            "<recv request=\"BYE\" timeout=\"60000\"><action>{}{}{}{}</action></recv>",
            keep("Via", 2),
            keep("From", 3),
            keep("To", 4),
            keep("CSeq", 5)
        );
        self.seq += 1;
        let seq = self.seq;
        self.request("BYE", seq, "", "", "").expect(200).send(
            "",
            "SIP/2.0 200 OK\nVia: [$2]\nFrom: [$3]\nTo: [$4]\nCall-ID: [call_id]\nCSeq: [$5]\n\
             Content-Length: 0\n",
        )
    }

    /// The engine hangs up.
    pub fn hung_up(self) -> Scenario {
        self.expect_request("BYE").reply("200 OK")
    }

    fn xml(&self) -> String {
        // SIPp has no word for the branch of an earlier message but its distance in messages.
        let mut text = String::new();
        let mut since_invite = 0;
        for part in self.steps.split_inclusive('\n') {
            if part.starts_with("<send")
                || part.starts_with("<recv")
                || part.starts_with("<nop")
                || part.starts_with("<pause")
            {
                since_invite += 1;
            }
            if part.starts_with("INVITE ") {
                since_invite = 0;
            }
            let part = part.replace("[branch-1]", &format!("[branch-{since_invite}]"));
            text += &part.replace("[branch-BACK]", &format!("[branch-{since_invite}]"));
        }
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<scenario name=\"interop\">\n{text}</scenario>\n"
        )
    }
}

/// A SIPp at work.
pub struct Sipp {
    process: Process,
    log: PathBuf,
}

impl Sipp {
    /// `options` as on SIPp's command line; `ear` is who [`PCMA`] speaks of.
    pub fn start(
        house: &House,
        number: &str,
        ear: Option<&Ear>,
        scenario: &Scenario,
        options: &[&str],
    ) -> Sipp {
        Sipp::start_at(house, house.at, number, ear, scenario, options)
    }

    pub fn start_at(
        house: &House,
        at: SocketAddr,
        number: &str,
        ear: Option<&Ear>,
        scenario: &Scenario,
        options: &[&str],
    ) -> Sipp {
        let guest = match at {
            SocketAddr::V4(_) => house.guest(),
            SocketAddr::V6(at) => (*at.ip()).into(),
        };
        let folder = house.path(&format!("sipp-{}", guest.to_string().replace(':', "_")));
        let folder = (0..).map(|n| folder.with_extension(format!("run{n}"))).find(|f| !f.exists());
        let folder = folder.expect("a free name");
        std::fs::create_dir_all(&folder).expect("a folder");
        let own = if options.contains(&"contact") { "[contact]" } else { "[local_ip]:[local_port]" };
        let xml = scenario.xml().replace("[contact]", own);
        std::fs::write(folder.join("scenario.xml"), xml).expect("a file");
        let mut command = Command::new("sipp");
        command.current_dir(&folder).arg(at.to_string()).args(["-sf", "scenario.xml", "-s", number]);
        let (media, port) = ear.map_or((guest, 9), |ear| (ear.address, ear.port));
        command.args(["-i", &guest.to_string(), "-mi", &media.to_string(), "-key", "ear", &port.to_string()]);
        command.args(["-nostdin", "-timeout", "100", "-timeout_error", "-trace_msg", "-trace_err"]);
        command.args(["-message_file", "messages", "-error_file", "errors"]);
        if !options.contains(&"-m") {
            command.args(["-m", "1"]);
        }
        command.args(options).env("TERM", "dumb");
        command.stdout(to_file(&folder.join("out"))).stderr(to_file(&folder.join("err")));
        Sipp { process: Process::start(&mut command, "sip-tester"), log: folder }
    }

    /// Everything came as the scenario says.
    #[track_caller]
    pub fn succeeds(mut self, house: &House) {
        let longest = PATIENCE * 5;
        let status = wait_at_most(longest, || self.process.0.try_wait().expect("a child"));
        if !status.is_some_and(|status| status.success()) {
            panic!(
                "SIPp: {status:?}\n{}\n{}\n{}\n{}\n{}",
                text(&self.log.join("err")),
                text(&self.log.join("errors")),
                tail(&text(&self.log.join("messages")), 12_000),
                text(&self.log.join("out")).lines().rev().take(40).collect::<Vec<_>>().join("\n"),
                house.log()
            );
        }
    }

    /// Everything that was sent and received, as SIPp wrote it down.
    pub fn log(&self) -> PathBuf {
        self.log.join("messages")
    }

    pub fn wait(&mut self, longest: Duration) -> bool {
        wait_at_most(longest, || self.process.0.try_wait().expect("a child")).is_some()
    }
}

fn tail(text: &str, bytes: usize) -> &str {
    let mut at = text.len().saturating_sub(bytes);
    while !text.is_char_boundary(at) {
        at += 1;
    }
    &text[at..]
}
