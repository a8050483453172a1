#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""send.py ADDRESS SECONDS: what the host can send by one socket to a guest that takes
little or nothing: how many packets, and how many tenths of a second it had to wait for
room. Not all at once: what the guest takes is to be the last that waits for it, now
and then."""

import socket
import sys
import time


def main():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(0.1)
    end = time.monotonic() + float(sys.argv[2])
    sent = waited = 0
    while time.monotonic() < end:
        try:
            sock.sendto(bytes(1400), (sys.argv[1], 9))
            sent += 1
            time.sleep(0.0005)
        except TimeoutError:
            waited += 1
    print(sent, waited)


main()
