//! `hotline prompts`, over a copy of the sample's prompts.

use super::*;

/// The sample with prompts of its own to change.
fn with_prompts() -> TempDir {
    let folder = sample();
    let prompts = folder.path().join("prompts");
    fs::remove_file(&prompts).expect("the link");
    copy(&Path::new(ROOT).join("prompts"), &prompts);
    folder
}

#[test]
fn the_samples_prompts_are_complete_up_to_date_and_fit() {
    let folder = sample();
    let status = run(&["prompts", "status", "--json"], folder.path());
    assert_eq!(status.status.code(), Some(0), "{}", text(&status.stderr));
    let json: serde_json::Value = serde_json::from_slice(&status.stdout).expect("JSON");
    for language in json["languages"].as_array().expect("languages") {
        for lack in ["missing", "stale", "unheard"] {
            assert_eq!(language[lack], serde_json::json!([]), "{lack} in {}", language["language"]);
        }
    }
    let check = run(&["prompts", "check"], folder.path());
    assert_eq!(check.status.code(), Some(0), "{}", text(&check.stdout));
    let render = run(&["prompts", "render"], folder.path());
    assert_eq!(render.status.code(), Some(0), "{}", text(&render.stderr));
    assert!(text(&render.stdout).starts_with("0 made, "), "{}", text(&render.stdout));
}

#[test]
fn a_recording_a_lost_file_and_a_new_text_are_told_apart() {
    let folder = with_prompts();
    let wav = |name: &str| folder.path().join(format!("prompts/en/{name}.wav"));
    fs::copy(wav("goodbye"), wav("welcome")).expect("a recording");
    fs::remove_file(wav("closed")).expect("a file");
    let list = folder.path().join("prompts/prompts.toml");
    let toml = fs::read_to_string(&list).expect("the list");
    fs::write(&list, toml.replace("en = \"You are paused.\"", "en = \"You have a break.\""))
        .expect("the list");

    let status = run(&["prompts", "status", "--json"], folder.path());
    let json: serde_json::Value = serde_json::from_slice(&status.stdout).expect("JSON");
    let languages = json["languages"].as_array().expect("languages");
    let english = languages.iter().find(|l| l["language"] == "en").expect("English");
    assert_eq!(english["recorded"], 1);
    assert_eq!(english["missing"], serde_json::json!(["closed"]));
    assert_eq!(english["stale"], serde_json::json!(["agent-paused"]));
    assert_eq!(status.status.code(), Some(1), "nothing is heard of `closed`");

    let check = run(&["prompts", "check", "--json"], folder.path());
    let json: serde_json::Value = serde_json::from_slice(&check.stdout).expect("JSON");
    let rules: Vec<&str> = json["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|f| f["rule"].as_str().expect("a rule"))
        .collect();
    assert_eq!((check.status.code(), rules), (Some(1), vec!["stale-prompt", "missing-prompt"]));
}

#[test]
fn a_value_is_written_as_a_caller_hears_it() {
    let folder = sample();
    let out = folder.path().join("heard.wav");
    let arguments = ["prompts", "play", "--say", "number:105", "--language", "wuu", "--out"];
    let arguments: Vec<&str> = arguments.into_iter().chain([out.to_str().expect("a path")]).collect();
    let played = run(&arguments, folder.path());
    assert_eq!(played.status.code(), Some(0), "{}", text(&played.stderr));
    assert!(text(&played.stderr).contains("cmn/number-100.wav (falls back)"), "{}", text(&played.stderr));
    let heard = media::wav::inspect(&out).expect("a WAV file");
    assert_eq!((heard.rate, heard.channels), (8000, 1));

    for wrong in
        [&["prompts", "play", "nothing"][..], &["prompts", "play", "--say", "number:x", "--language", "en"]]
    {
        let refused = run(wrong, folder.path());
        assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
    }
}
