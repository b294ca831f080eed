//! config/GUIDE.md as a reader follows it: its files are written one after the other, its commands are run, and
//! they say what stands there.

use super::*;

#[test]
fn the_guide_says_what_happens() {
    let guide = fs::read_to_string(Path::new(ROOT).join("config/GUIDE.md")).expect("the guide");
    let folder = TempDir::new().expect("a temporary folder");
    let prompts = folder.path().join("prompts");
    std::os::unix::fs::symlink(Path::new(ROOT).join("prompts"), prompts).expect("a link");
    let home = folder.path().join("guide");
    fs::create_dir_all(home.join("config/flows")).expect("a folder");
    let (mut files, mut commands) = (0, 0);
    for (kind, block) in blocks(&guide) {
        match (kind, &block[..]) {
            ("toml", [head, lines @ ..]) => {
                write(&home, head, lines);
                files += 1;
            }
            // Those without an answer beside them are for real calls.
            ("console", [command, said @ ..]) if !said.is_empty() && !said[0].starts_with('$') => {
                follow(&home, command, said);
                commands += 1;
            }
            _ => {}
        }
    }
    assert!(files > 20 && commands > 10, "{files} files, {commands} commands");
}

/// What stands between fences, with the word behind the first one.
fn blocks(guide: &str) -> Vec<(&str, Vec<&str>)> {
    let mut blocks = vec![];
    let mut lines = guide.lines();
    while let Some(line) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            blocks.push((kind, lines.by_ref().take_while(|l| *l != "```").collect()));
        }
    }
    blocks
}

/// The first line says which file, and whether it is there already: `# config/hotline.toml, added`.
fn write(home: &Path, head: &str, lines: &[&str]) {
    let name = head.strip_prefix("# ").unwrap_or_else(|| panic!("no file is named by `{head}`"));
    let (name, added) = name.strip_suffix(", added").map_or((name, false), |name| (name, true));
    let path = home.join(name);
    let before = if added { fs::read_to_string(&path).expect("a file to add to") } else { String::new() };
    fs::write(path, before + &lines.join("\n") + "\n").expect("a file of our own");
}

/// Runs `$ hotline ...`. Where the answer complains of `nxet`, the reader has written it.
fn follow(home: &Path, command: &str, said: &[&str]) {
    let flow = home.join("config/flows/hello.toml");
    let right = fs::read_to_string(&flow).expect("the first flow");
    if said.iter().any(|line| line.contains("`nxet`")) {
        fs::write(&flow, right.replacen("next =", "nxet =", 1)).expect("a file of our own");
    }
    let words = command.strip_prefix("$ hotline ").unwrap_or_else(|| panic!("not ours: {command}"));
    // What stands in quotes is one word.
    let quoted = words.split('"').enumerate();
    let words: Vec<&str> = quoted
        .flat_map(|(i, part)| if i % 2 == 1 { vec![part] } else { part.split_whitespace().collect() })
        .collect();
    let output = run(&words, home);
    fs::write(&flow, right).expect("a file of our own");
    let answer = text(&output.stdout) + &text(&output.stderr);
    let (got, expected): (Vec<_>, Vec<_>) =
        (answer.lines().map(lasting).collect(), said.iter().map(|l| lasting(l)).collect());
    assert_eq!(got, expected, "{command}\n{answer}");
}

/// A line without what may differ: how long a prompt or a test takes, how many prompts there are.
fn lasting(line: &str) -> String {
    let is_time =
        |word: &str| word.contains(':') && word.chars().all(|c| c.is_ascii_digit() || ":.".contains(c));
    let line = match line.trim_start().split_once(' ') {
        Some((time, rest)) if is_time(time) => rest,
        _ => line,
    };
    let before = |end: &str| Some(line.strip_suffix(end)?.trim_end_matches(|c: char| c.is_ascii_digit()));
    before(" ms)").or_else(|| before(" prompts")).unwrap_or(line).to_owned()
}
