"""A black box around terminal programs: a pty, an emulated screen, a scripted server.

`measure` runs a program of `programs` against `server` and returns figures. They
compare within one sitting only: the same machine is another one an hour later.
Linux only, for /proc tells the processor time of a whole tree of processes.
"""
