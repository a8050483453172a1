# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Which kernels there are, and which are meant.

# By release: kernel image, directory of modules ("" if it has none), image
# of the initramfs.
declare -A LAB_KERNEL_IMAGE=() LAB_KERNEL_MODDIR=() LAB_KERNEL_INITRD=()

# kernel_installed: the releases of the stock kernels, oldest first.
kernel_installed() {
	local image

	for image in /boot/vmlinuz-*; do
		[ -d "/lib/modules/${image#/boot/vmlinuz-}" ] && echo "${image#/boot/vmlinuz-}"
	done | sort -V
}

# The release that a bzImage says it is (see the kernel's boot protocol).
_kernel_release() {
	local offset

	offset=$(od -An -tu2 -j 526 -N 2 "$1" | tr -d ' ')
	[ "${offset:-0}" -gt 0 ] || return
	tail -c +$((offset + 513)) "$1" | head -z -n 1 | tr -d '\0' | cut -d ' ' -f 1
}

# kernel_select SPEC: sets KERNEL to the release of SPEC, which is a series
# (6.1), a release, or IMAGE[:MODULE-DIRECTORY] for one built by hand.  Makes
# it known to the lab.
kernel_select() {
	local spec=$1 image moddir=

	if [[ $spec == */* ]]; then
		image=$(realpath -e "${spec%%:*}") || return
		[[ $spec == *:* ]] && { moddir=$(realpath -e "${spec#*:}") || return; }
		KERNEL=$(_kernel_release "$image")
		if [ -z "$KERNEL" ]; then
			echo "$image: not a kernel image" >&2
			return 1
		fi
	else
		KERNEL=$(kernel_installed | awk -v spec="$spec" '
			$0 == spec || (index($0, spec) == 1 &&
				substr($0, length(spec) + 1, 1) !~ /[0-9]/)' | tail -n 1)
		if [ -z "$KERNEL" ]; then
			echo "no kernel $spec (installed: $(kernel_installed | paste -sd ' '))" >&2
			return 1
		fi
		image=/boot/vmlinuz-$KERNEL
		moddir=/lib/modules/$KERNEL
	fi
	LAB_KERNEL_IMAGE[$KERNEL]=$image
	LAB_KERNEL_MODDIR[$KERNEL]=$moddir
	LAB_KERNEL_INITRD[$KERNEL]=$(initramfs "$KERNEL" "$moddir")
}
