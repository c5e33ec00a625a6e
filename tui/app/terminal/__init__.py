"""Draws frames on the terminal and reads its input, in place of Textual's own driver.

Textual writes each changed widget completely. On a slow link the screen is then seconds
out of date, and keys wait behind the output. The stage keeps the shown and the wanted
cells, writes the smallest difference, and waits until the terminal acknowledges frames.

- `textual_hook`: hooks keys and frames into Textual, or leaves frames to its writer
- `key_order`, `key_sequences`, `paste`, `burst`: the keys, in the order of typing
- `driver`, `tty_reader`, `tty_writer`, `capabilities`: the tty and its capabilities
- `stage`, `flow_control`: when to send a frame
- `surface`, `cells`, `sgr`, `reduced_colours`: the wanted cells and their colours
- `painter`, `scroll`, `cursor_moves`: the bytes to write
"""
