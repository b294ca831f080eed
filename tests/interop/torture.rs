//! The messages of RFC 4475 at the running engine, over UDP.
use crate::house::House;
use crate::wire::Wire;
use serde_json::Value;
use std::path::Path;

#[test]
fn torture_messages_get_the_answers_of_the_rfc_and_leave_the_engine_alive() {
    let house = House::open();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/sip/tests/torture/");
    let manifest = std::fs::read(folder.join("rfc4475/manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    let messages = manifest["messages"].as_array().expect("messages");
    let codes =
        |v: &Value| -> Vec<u64> { v.as_array().into_iter().flatten().filter_map(Value::as_u64).collect() };
    let is = |m: &Value, key: &str| m[key].as_bool().unwrap_or(false);
    let (mut right, mut allowed, mut wrong) = (0, 0, vec![]);
    for (n, message) in messages.iter().enumerate() {
        let wire = Wire::new(&house);
        let bytes = std::fs::read(folder.join(message["file"].as_str().expect("a file"))).expect("a message");
        // Some share a branch: to the engine they would be one request, sent again.
        let text = String::from_utf8_lossy(&bytes);
        match text.contains("z9hG4bKkdjuw") {
            true => wire.send(text.replace("z9hG4bKkdjuw", &format!("z9hG4bKkdjuw{n}")).as_bytes()),
            false => wire.send(&bytes),
        }
        let answers: Vec<u64> = wire
            .settle(n)
            .iter()
            .filter_map(|a| a.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok())
            .collect();
        let last = answers.iter().rev().copied().find(|code| *code >= 200).or(answers.last().copied());
        let (wire_codes, any_but) = (codes(&message["wire"]), codes(&message["any_but"]));
        let verdict = match last {
            None if is(message, "response") => 2,
            Some(_) if is(message, "response") => 0,
            None if is(message, "silence_ok") => 1,
            None => 0,
            Some(code) if wire_codes.contains(&code) => 2,
            Some(code) if wire_codes.is_empty() && !any_but.contains(&code) => 2,
            Some(code) if is(message, "wire_lenient") && code < 500 => 1,
            Some(_) => 0,
        };
        match verdict {
            2 => right += 1,
            1 => allowed += 1,
            _ => wrong.push((message["name"].clone(), answers, wire_codes, any_but)),
        }
    }
    println!("RFC 4475 over UDP: {right} right + {allowed} allowed of {}; {wrong:?}", messages.len());
    assert!(wrong.is_empty(), "{right} right + {allowed} allowed; wrong: {wrong:#?}");
    assert!(house.is_alive());
}
