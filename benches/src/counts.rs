use crate::meter::Meter;
use crate::{CASES, Case};
use std::process::{Command, ExitCode};

/// Instructions for each thing done: this program runs itself under valgrind, which counts inside
/// `Meter::measured` only. None without valgrind.
pub fn instructions(case: &Case) -> Option<f64> {
    let out = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args(["--collect-atstart=no", "--toggle-collect=*Meter*measured*"])
        .arg(std::env::current_exe().ok()?)
        .args(["--once", case.name])
        .output()
        .ok()?;
    let done: f64 = String::from_utf8_lossy(&out.stdout).trim().parse().ok()?;
    let told = String::from_utf8_lossy(&out.stderr);
    let collected = told.lines().find_map(|line| line.split_once("Collected : ")).map(|(_, n)| n)?;
    Some(collected.trim().parse::<f64>().ok()? / done)
}

/// What runs under valgrind: one case, a few times; says how often it was done.
pub fn once(name: &str) -> ExitCode {
    let Some(case) = CASES.iter().find(|case| case.name == name) else { return ExitCode::from(2) };
    let mut meter = Meter::default();
    (case.run)(&mut meter, case.times[1]);
    println!("{}", meter.count());
    ExitCode::SUCCESS
}
