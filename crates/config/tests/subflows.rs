//! Sub-flows are taken in: their steps and variables stand in the flow, and its version knows of them.
mod common;

use common::Installation;
use ivr::{Act, SetRole, Value};

const MAIN: &str = "config/hotline.toml";
const FULL: &str = "config/flows/full.toml";
const ASK: &str = "config/flows/ask.toml";

fn installation() -> Installation {
    let installation = Installation::good();
    let main = installation.read(MAIN);
    let table = "[table.impact]\ncore = \"P0\"\n";
    installation.write(MAIN, format!("{main}\n[number.700]\nflow = \"full\"\n{table}"));
    installation.write(
        FULL,
        r#"[flow]
name = "full"
start = "first"
language = "en"
[var]
customer = ""
[step.first]
subflow = "ask"
with = { kind = "{lookup('impact', 'core', 'P3')}" }
into = { customer = "answer" }
on = { known = "second", unknown = "bye" }
[step.second]
subflow = "ask"
on = { known = "bye", unknown = "bye" }
[step.bye]
hangup = true
"#,
    );
    installation.write(
        ASK,
        r#"[flow]
name = "ask"
sub = true
start = "deeper"
[param]
kind = "none"
[var]
answer = ""
tries = 0
[result]
answer = "answer"
[step.deeper]
subflow = "count"
with = { from = "{tries}" }
into = { tries = "count" }
on = { counted = "enough" }
[step.enough]
branch = [{ when = "tries > 2", to = "give-up" }, { when = "kind == 'P0'", to = "found" }]
otherwise = "ask"
[step.ask]
collect = { min = 1, max = 4 }
prompt = "enter-customer-number"
into = "answer"
no_input = { then = "deeper" }
invalid = { then = "deeper" }
next = "found"
[step.found]
return = "known"
[step.give-up]
return = "unknown"
"#,
    );
    installation.write(
        "config/flows/count.toml",
        "[flow]\nname = \"count\"\nsub = true\nstart = \"up\"\n[param]\nfrom = 0\n[result]\ncount = \"from\"\n\
         [step.up]\nset = { from = \"{from + 1}\" }\nnext = \"out\"\n[step.out]\nreturn = \"counted\"\n",
    );
    installation
}

#[test]
fn their_steps_stand_in_the_flow() {
    let installation = installation();
    assert_eq!(installation.report(), "0 errors, 0 warnings");
    let settings = installation.load().settings.expect("no errors");
    let flow = &settings.numbers["700"].flow;
    assert!(flow.is_whole());
    assert_eq!(flow.steps.len(), 3 + 2 * (5 + 2));
    let step = |name: &str| flow.step(flow.find(name).unwrap_or_else(|| panic!("no step {name}")));

    let Act::Set(enter) = &step("first").act else { panic!("it sets what the sub-flow begins with") };
    assert_eq!(enter.role, SetRole::Enter);
    assert_eq!(flow.step(enter.next).name.as_ref(), "first/deeper");
    let types = flow.types();
    let names: Vec<_> =
        enter.values.iter().map(|(id, _)| &*types.variable(*id).expect("declared").name).collect();
    assert_eq!(names, ["first.kind", "first.answer", "first.tries"], "parameters, and variables made fresh");

    let inner = step("first/deeper/up");
    let origin = inner.origin.as_ref().expect("it is another file's");
    assert_eq!((&*origin.flow, &*origin.step, inner.line), ("count", "up", 9));

    let Act::Set(leave) = &step("first/found").act else { panic!("it hands results over") };
    assert_eq!((leave.role, flow.step(leave.next).name.as_ref()), (SetRole::Return, "second"));
    assert_eq!(&*types.variable(leave.values[0].0).expect("declared").name, "customer");
    let Act::Set(leave) = &step("second/give-up").act else { panic!("it leads on") };
    assert_eq!((leave.values.len(), flow.step(leave.next).name.as_ref()), (0, "bye"));

    let mut values: Vec<Value> = types.iter().map(|_| Value::from("")).collect();
    values[types.find("first.answer").expect("declared").id.0 as usize] = Value::from("42");
    let Act::Set(leave) = &step("first/found").act else { unreachable!() };
    assert_eq!(leave.values[0].1.eval(&values), Value::from("42"), "the copy of this place");
}

#[test]
fn the_version_knows_what_the_flow_takes_in() {
    let installation = installation();
    let version =
        |number: &str| installation.load().settings.expect("no errors").numbers[number].flow.version.clone();
    let (full, lab) = (version("700"), version("600"));
    let changes = [
        ("config/flows/count.toml", "from + 1", "from + 2"),
        (ASK, "tries > 2", "tries > 3"),
        (MAIN, "core = \"P0\"", "core = \"P1\""),
        (FULL, "[var]", "[var] # here"),
    ];
    let mut before = full;
    for (file, from, to) in changes {
        installation.edit(file, from, to);
        let now = version("700");
        assert_ne!(now, before, "{file}");
        before = now;
        assert_eq!(version("600"), lab, "what another flow does not use is nothing to it");
    }
}

#[test]
fn a_thousand_flows_of_fifty_steps() {
    let installation = Installation::good();
    for flow in 0..990 {
        let mut text =
            format!("[flow]\nname = \"f{flow}\"\nstart = \"s0\"\nlanguage = \"en\"\n[var]\ntries = 0\n");
        for step in 0..49 {
            let next = step + 1;
            text.push_str(&match step % 3 {
                0 => format!("[step.s{step}]\nplay = \"sorry\"\nnext = \"s{next}\"\n"),
                1 => format!("[step.s{step}]\nset = {{ tries = \"{{tries + 1}}\" }}\nnext = \"s{next}\"\n"),
                _ => format!(
                    "[step.s{step}]\nmenu = {{ 1 = \"s{next}\", 2 = \"s49\" }}\nprompt = \"choose-topic\"\n\
                     no_input = {{ then = \"s49\" }}\ninvalid = {{ then = \"s49\" }}\n"
                ),
            });
        }
        text.push_str("[step.s49]\nbranch = [{ when = \"tries > 2\", to = \"bye\" }]\notherwise = \"bye\"\n[step.bye]\nhangup = true\n");
        installation.write(&format!("config/flows/f{flow}.toml"), text);
    }
    let loaded = installation.load();
    assert_eq!(loaded.report().errors(), 0, "{}", loaded.report());
    assert_eq!(loaded.flows.len(), 992);
}
