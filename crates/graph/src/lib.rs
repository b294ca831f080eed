//! A flow as a picture: what the caller passes, drawn top to bottom as SVG, or written as DOT or Mermaid.
