"""Turns files of this machine into attachments of a message.

A text file becomes UTF-8, a PDF its text, a picture at most as large as servers take.
What is attached is what a model gets, so it is all decided here, once, before the
message is stored. Everything blocks on a disk: call it in a thread.
"""
