#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The faults of the emulator that the lab tells from faults of what it tests: a
# scenario runs again after one, so nothing else must look like one.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/lib/ktap.sh"
. "$top/tests/lab/outer/emulator.sh"
. "$top/tests/lab/lib/exits.sh"
. "$top/tests/lab/vm/stuck.sh"
# what the lab has told it
LAB_VM_CMDLINE='' LAB_STATE=''
. "$top/tests/lab/lib/guest.sh"

# NAME WANT GOT
equal()
{
	if [ "$2" = "$3" ]; then
		ktap_pass "$1"
	else
		ktap_fail "$1" "want \"$2\", got \"$3\""
	fi
}

# FLAGS HALTED VECTORS: what the monitor says of a CPU, and of another that is idle
monitor()
{
	printf 'CPU#0\r\nRIP=ffffffff81a592eb RFL=%s [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=%s\r\n' "$1" "$2"
	printf 'CPU#1\r\nRIP=ffffffff81a592ec RFL=00000246 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=1\r\n'
	printf 'dumping local APIC state for CPU 0 \r\nISR\t (none)\r\nIRR\t %s\r\n' "$3"
	printf 'dumping local APIC state for CPU 1 \r\nISR\t (none)\r\nIRR\t (none)\r\n'
}

equal "a halted CPU with a waiting interrupt has lost it" "CPU 0: 37 236" \
	"$(monitor 00000246 1 "37 236" | lost_cpu)"
equal "not so one that runs" "" "$(monitor 00000246 0 236 | lost_cpu)"
equal "nor one that has interrupts off" "" "$(monitor 00000046 1 236 | lost_cpu)"
equal "nor one that waits for none" "" "$(monitor 00000246 1 "(none)" | lost_cpu)"

# SYMBOL RIP: a report of an interrupt
report()
{
	cat <<-END
	[   40.653538]  sysvec_apic_timer_interrupt+0xa/0x90
	[   40.653557]  $1+0x16/0x20
	[   40.653564] RIP: 0010:$2+0x9c/0x210
	[   40.653904] RSP: 0018:ffffc9000054b950 EFLAGS: 00000246
	[   40.653995]  svm_vcpu_enter_exit+0x4a/0x80 [kvm_amd]
	END
}

equal "an interrupt after VMRUN is early" \
	"[   40.653564] RIP: 0010:__svm_vcpu_run+0x9c/0x210" \
	"$(report asm_sysvec_apic_timer_interrupt __svm_vcpu_run | early_interrupt)"
equal "not so an exception there" "" \
	"$(report asm_exc_page_fault __svm_vcpu_run | early_interrupt)"
equal "nor an interrupt elsewhere" "" \
	"$(report asm_sysvec_apic_timer_interrupt pvh_worker | early_interrupt)"
equal "nor one elsewhere, before an exception there" "" \
	"$({
		report asm_common_interrupt native_safe_halt
		report asm_exc_page_fault __svm_vcpu_run
	} | early_interrupt)"

# COMM SYMBOL: a report of a stack that was too small
overflow()
{
	cat <<-END
	[   21.800499] BUG: TASK stack guard page was hit at 00000000b1a8aef4 (stack is 0000000015f6ba1f..000000005779889e)
	[   21.802128] stack guard page: 0000 [#1] PREEMPT SMP NOPTI
	[   21.802501] CPU: 0 PID: 185 Comm: $1 Tainted: G           OE      6.1.0-56-amd64 #1  Debian 6.1.192-2
	[   21.802710] RIP: 0010:$2+0x1a/0x130
	END
}

equal "one whose handler faults for ever is early, too" \
	"[   21.802710] RIP: 0010:error_entry+0x1a/0x130" \
	"$(overflow qemu-system-x86 error_entry | early_interrupt)"
equal "not so one of another thread" "" "$(overflow pvbus-vm1/root error_entry | early_interrupt)"
equal "nor a recursion of other code" "" "$(overflow qemu-system-x86 pvh_doorbell | early_interrupt)"

# FAULT SYMBOL RSP: a report of a fault
fault()
{
	cat <<-END
	[  135.558194] $1: 0000 [#1] PREEMPT SMP NOPTI
	[  135.558616] CPU: 0 PID: 150 Comm: fio Tainted: G           OE      6.1.0-56-amd64 #1  Debian 6.1.192-2
	[  135.558853] RIP: 0010:$2/0x29
	[  135.565015] RSP: 0018:$3 EFLAGS: 00000002
	END
}

equal "an interrupt on the first instruction of a system call is one, too" \
	"[  135.558853] RIP: 0010:entry_SYSCALL_64+0x0/0x29" \
	"$(fault "double fault" entry_SYSCALL_64+0x0 00007f1fab67c548 | syscall_interrupt)"
equal "not so one after that" "" \
	"$(fault "double fault" entry_SYSCALL_64+0x9 00007f1fab67c548 | syscall_interrupt)"
equal "nor one on a stack of the kernel's" "" \
	"$(fault "double fault" entry_SYSCALL_64+0x0 ffffc9000054b950 | syscall_interrupt)"
equal "nor another fault" "" \
	"$(fault Oops entry_SYSCALL_64+0x0 00007f1fab67c548 | syscall_interrupt)"

# EXITS IO MMIO HALT
snapshot()
{
	echo "exits=$1 io_exits=$2 mmio_exits=$3 halt_exits=$4 irq_injections=9"
}

earlier=$(snapshot 1000 5 6 7)
equal "a guest that is only entered is suspect" "entered 5000 times a second" \
	"$(stuck_suspect 10 "$earlier" "$(snapshot 51000 5 6 7)")"
equal "not so one that is seldom entered" "" \
	"$(stuck_suspect 10 "$earlier" "$(snapshot 6000 5 6 7)")"
equal "nor one that reads a port" "" \
	"$(stuck_suspect 10 "$earlier" "$(snapshot 51000 6 6 7)")"
equal "nor one that reads a register" "" \
	"$(stuck_suspect 10 "$earlier" "$(snapshot 51000 5 7 7)")"
equal "nor one that halts" "" \
	"$(stuck_suspect 10 "$earlier" "$(snapshot 51000 5 6 8)")"
equal "where the CPUs of a guest are" "RIP=ffffffff81a592eb RIP=ffffffff81a592ec" \
	"$(monitor 00000246 0 "(none)" | stuck_registers | stuck_rips)"

# RDI: what the monitor says of a CPU that clears memory, as far as that
clearing()
{
	printf 'CPU#0\r\nRAX=0000000000000000 RBX=1ffffffff0700f94 RCX=0000000000000aff RDX=0000000000200000\r\n'
	printf 'RSI=0000000000000000 RDI=%s RBP=ffffffff83807d20 RSP=ffffffff83807c90\r\n' "$1"
	printf 'R8 =0000000000000000 R9 =0000000000000000 R10=ffff88817b000000 R11=0000000000000000\r\n'
	printf 'RIP=ffffffff82df7223 RFL=00000202 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0\r\n'
	printf 'GDT=     ffffffff840b3000 0000007f\r\n'
}

# looks RDI...: where a guest is stuck, of which the looks find these
looks()
{
	guest_monitor()
	{
		clearing "$(sed -n 1p "$looked")" && sed -i 1d "$looked"
	}
	sleep()
	{
		:
	}
	printf '%s\n' "$@" >"$looked"
	_stuck_at vm1
}

looked=$(mktemp)
trap 'rm -f "$looked"' EXIT
same=(ffff88817b1d4000 ffff88817b1d4000 ffff88817b1d4000 ffff88817b1d4000)
equal "a guest with which nothing happens is stuck" "RIP=ffffffff82df7223" \
	"$(looks "${same[@]}" ffff88817b1d4000)"
equal "not so one that always leaves at the same place, and gets on" "" \
	"$(looks "${same[@]}" ffff88817b1d5000)"

# boots EXITS [WORD]: what comes of a guest that is silent, and leaves so often in those
# five seconds in which it may say a word
boots()
{
	local word=

	guest_alive()
	{
		:
	}
	exits_snapshot()
	{
		snapshot "$(sed -n 1p "$exits")" 5 6 7 && sed -i 1d "$exits"
	}
	guest_monitor()
	{
		echo "$2"
	}
	read()
	{
		word=$said
		[ -n "$word" ]
	}
	local said=${2:-} exits=$looked
	LAB_STATE=$(mktemp -d) && mkdir -p "$LAB_STATE/guests/vm1" || return
	echo "Booting" >"$LAB_STATE/guests/vm1/console"
	printf '1000\n%s\n' $((1000 + $1)) >"$looked"
	_guest_second_chance vm1 0
	echo "$word"
	rm -r "$LAB_STATE"
}

equal "a guest that hangs at its boot is reset" system_reset "$(boots 1200)"
equal "not so one that is at work" "" "$(boots 28000)"
equal "nor one that comes up meanwhile" "up" "$(boots 1200 up)"

# CODE: a report of a breakpoint; <> is around what comes next
breakpoint()
{
	cat <<-END
	[    2.904801] Oops: int3: 0000 [#1] PREEMPT SMP NOPTI
	[    2.905008] RIP: 0010:sched_clock_cpu+0x9/0x190
	[    2.905582] Code: $1
	END
}

equal "an int3 that is not there was not to be taken" \
	"[    2.905008] RIP: 0010:sched_clock_cpu+0x9/0x190" \
	"$(breakpoint "41 54 55 53 66 <90> e8 41 ac" | stale_int3)"
equal "not so one that is" "" "$(breakpoint "41 54 55 53 cc <90> e8 41 ac" | stale_int3)"
equal "nor another oops" "" \
	"$(breakpoint "41 54 55 53 66 <90> e8" | sed 's/int3/general protection fault/' | stale_int3)"

equal "of a console, whichever it was: an int3" \
	"took an int3 that was not there: 0010:sched_clock_cpu+0x9/0x190" \
	"$(breakpoint "41 54 55 53 66 <90> e8 41 ac" | console_fault)"
equal "or an interrupt" "took an interrupt while they were off: 0010:__svm_vcpu_run+0x9c/0x210" \
	"$(report asm_sysvec_apic_timer_interrupt __svm_vcpu_run | console_fault)"
equal "or one in a system call" \
	"took an interrupt while they were off: 0010:entry_SYSCALL_64+0x0/0x29" \
	"$(fault "double fault" entry_SYSCALL_64+0x0 00007f1fab67c548 | console_fault)"
equal "or none of them" "" "$(report asm_common_interrupt native_safe_halt | console_fault)"

equal "shutdowns are counted" 2 "$(
	shutdowns <<-END
		# tracer: nop
		#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
		           <...>-1234    [001] d..1.    33.151236: shutdown: (shutdown_interception+0x0/0x90 [kvm_amd])
		           <...>-987     [000] d..1.    34.151236: shutdown: (shutdown_interception+0x0/0x90 [kvm_amd])
	END
)"
equal "and that there was none" 0 "$(echo "# tracer: nop" | shutdowns)"
ktap_exit
