//! Media: legs, players, bridges and digits on a 20 ms grid.
//!
//! A [`Deck`] is all the media of one thread, without clock, sockets or threads: time and commands come in,
//! packets leave through a [`Wire`], events through an outbox. A [`Library`] holds every prompt encoded once
//! per codec; playing one is copying 160 bytes.
//!
//! *Invariant:* a packet costs no allocation and no look-up by hash in the steady state; what arrives is
//! bounded before it is read; a leg hears one source only.

mod contract;
mod deck;
mod keys;
mod leg;
mod library;
mod outgoing;
mod player;
mod recorder;
pub mod wav;
mod wheel;
mod wire;

pub use contract::{Codec, Command, Direction, Event, Format, Piece, Sink, Stats};
pub use deck::{Deck, DeckConfig};
pub use library::{Library, LoadError};
pub use wire::{Channel, Slot, Wire};
