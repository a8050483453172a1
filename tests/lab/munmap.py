#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""munmap.py PID ADDRESS LENGTH: has another process unmap some of its memory.

It is stopped where it waits in a system call, whose instruction it then executes
once more, with other arguments. Numbers may be hexadecimal.
"""

import ctypes
import os
import sys
import time

GETREGS, SETREGS, SINGLESTEP, ATTACH, DETACH = 12, 13, 9, 16, 17
WALL = 0x40000000
MUNMAP = 11
SYSCALL = b"\x0f\x05"
NO_SYSCALL = ctypes.c_ulong(-1).value

libc = ctypes.CDLL(None, use_errno=True)


class Registers(ctypes.Structure):
    """struct user_regs_struct"""
    _fields_ = [(name, ctypes.c_ulong) for name in
                "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi "
                "orig_rax rip cs eflags rsp ss fs_base gs_base ds es fs "
                "gs".split()]


def ptrace(request, pid, data=None):
    pointer = ctypes.byref(data) if data else None
    if libc.ptrace(request, pid, None, pointer) == -1:
        raise OSError(ctypes.get_errno(), f"ptrace request {request}")


def registers(pid):
    regs = Registers()
    ptrace(GETREGS, pid, regs)
    return regs


def in_system_call(pid, regs):
    with open(f"/proc/{pid}/mem", "rb") as memory:
        memory.seek(regs.rip - len(SYSCALL))
        return memory.read(len(SYSCALL)) == SYSCALL


def munmap(pid, address, length):
    """Of a process that is stopped in a system call, to which it goes back."""
    before = registers(pid)
    call = Registers.from_buffer_copy(before)
    call.rip -= len(SYSCALL)
    call.rax, call.orig_rax = MUNMAP, NO_SYSCALL
    call.rdi, call.rsi = address, length
    ptrace(SETREGS, pid, call)
    ptrace(SINGLESTEP, pid)
    os.waitpid(pid, WALL)
    result = registers(pid).rax
    ptrace(SETREGS, pid, before)
    return result


def main():
    pid, address, length = (int(word, 0) for word in sys.argv[1:])
    for _ in range(100):
        ptrace(ATTACH, pid)
        os.waitpid(pid, WALL)
        try:
            if in_system_call(pid, registers(pid)):
                return munmap(pid, address, length) != 0
        finally:
            ptrace(DETACH, pid)
        time.sleep(0.05)
    return f"{pid} is never in a system call"


if __name__ == "__main__":
    sys.exit(main())
