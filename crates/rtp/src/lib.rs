//! RTP and what travels in it: packets, telephone-event, G.711, RTCP.
