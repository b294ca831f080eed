use crate::failure::{DONE, Failure};
use crate::operate;
use server::control::protocol::{Canary, Request};
use std::path::Path;

/// Callers on one list: a request has a limit.
const CALLERS_MAX: usize = 2000;

#[derive(clap::Args, Debug)]
pub struct Options {
    /// Only for this share of the callers, the same ones each time: 5%
    #[arg(long, value_name = "SHARE", value_parser = share)]
    canary: Option<u16>,
    /// Only for these callers: numbers with commas between, or a file with one a line
    #[arg(long, value_name = "NUM,NUM|FILE", conflicts_with = "canary")]
    canary_callers: Option<String>,
    /// Give every new call what only some get now
    #[arg(long, conflicts_with_all = ["canary", "canary_callers", "abort", "no_tests"])]
    promote: bool,
    /// Give no new call any more what only some get now
    #[arg(long, conflicts_with_all = ["canary", "canary_callers", "no_tests"])]
    abort: bool,
    /// Even if the tests beside the flows would fail
    #[arg(long)]
    no_tests: bool,
}

/// Has the running engine read its configuration anew.
pub fn reload(config: Option<&Path>, options: &Options) -> Result<u8, Failure> {
    let by = operate::operator();
    let callers = options.canary_callers.as_deref().map(callers).transpose()?;
    let canary = options.canary.map(Canary::Share).or(callers.map(Canary::Callers));
    let request = match (options.promote, options.abort) {
        (true, _) => Request::Promote { by },
        (_, true) => Request::Abort { by },
        _ => Request::Reload { canary, tests: !options.no_tests, by },
    };
    operate::command(config, &request)?;
    Ok(DONE)
}

/// "5%" or "0.5%", in ten thousandths.
fn share(text: &str) -> Result<u16, String> {
    const FORM: &str = "write a share like 5% or 0.5%";
    let number: f64 = text.trim_end_matches('%').trim().parse().map_err(|_| FORM)?;
    match number {
        0.0..=100.0 => Ok((number * 100.0).round() as u16),
        _ => Err(format!("{FORM}, from 0% to 100%")),
    }
}

fn callers(named: &str) -> Result<Vec<String>, Failure> {
    let is_number = |c: char| c.is_ascii_digit() || "+-() ".contains(c);
    let list = match named.split(',').all(|part| !part.is_empty() && part.chars().all(is_number)) {
        true => named.to_owned(),
        false => std::fs::read_to_string(named).map_err(|e| Failure::not_started(format!("{named}: {e}")))?,
    };
    let callers: Vec<String> = list
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .flat_map(|line| line.split(','))
        .map(|number| number.trim().to_owned())
        .filter(|number| !number.is_empty())
        .collect();
    match callers.len() {
        0 => Err(Failure::not_started(format!("{named} names no caller"))),
        1..=CALLERS_MAX => Ok(callers),
        n => Err(Failure::not_started(format!("{named} names {n} callers, more than {CALLERS_MAX}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_callers_as_people_write_them() {
        assert_eq!((share("5%"), share("0.5"), share("100 %")), (Ok(500), Ok(50), Ok(10_000)));
        assert!(["", "x", "-1%", "101%", "NaN"].iter().all(|bad| share(bad).is_err()));
        assert_eq!(callers("13800138000,+86 138 1234 5678").unwrap(), ["13800138000", "+86 138 1234 5678"]);
        assert!(callers("no-such-file").is_err());
    }
}
