//! Real clients that nobody here wrote, on loopback, against the real engine: SIPp, baresip, linphone and
//! plain datagrams. Each test has its own installation on an address of its own in 127.0.0.0/8, so that ports
//! never meet; every call is judged by what is heard, by its one record, and by what is left afterwards.
#![allow(clippy::disallowed_methods, reason = "real clients live in real time")]

mod baresip;
mod ear;
mod house;
mod linphone;
mod process;
mod relay;
mod sipp;
mod sound;
mod wire;

mod agents;
mod answers;
mod callers;
mod faults;
mod torture;
