"""The output stage, between Textual's compositor and the terminal.

Textual writes each widget that has changed anew: on a slow link its screen is seconds
old, and keys wait behind it. Here the cells that are shown and those that are wanted
are kept, the smallest difference is written, and never more than the terminal has
answered for.

- `textual_hook`: where it is put into Textual, and where it steps back
- `driver`, `tty_reader`, `tty_writer`, `capabilities`: the tty, and what it can do
- `stage`, `flow_control`: when a frame is sent
- `surface`, `cells`, `sgr`, `reduced_colours`: what is wanted, and in how many colours
- `painter`, `scroll`, `cursor_moves`: what is written
"""
