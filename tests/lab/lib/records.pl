#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# Numbered records, which are acknowledged one by one when fsync has returned.
#
#	records.pl write FILE ACKS	writes records to FILE, and to ACKS the numbers of
#					those that fsync has acknowledged; until killed
#	records.pl verify FILE ACKS	is every record of which ACKS speaks in FILE?
#
# Perl, as it starts quickly in a guest, where each file of a program takes long to open.
use strict;
use warnings;
use Fcntl;
use IO::Handle;

use constant {
	SIZE => 4096,
	SLOTS => 4096,
};

sub record {
	my $text = sprintf("record %12d\n", $_[0]);

	return substr($text x (SIZE / length($text) + 1), 0, SIZE);
}

# The numbers in a file that may end in the middle of one.
sub acknowledged {
	my @acks;

	open(my $in, '<', $_[0]) or return ();
	while (my $line = <$in>) {
		push(@acks, $1) if $line =~ /^(\d+)\n/;
	}
	return @acks;
}

sub write_records {
	my ($file, $acks) = @_;
	my @before = acknowledged($acks);
	# what was not acknowledged, of the last writer, is not this one's
	my $number = @before ? $before[-1] + 2 : 1;

	sysopen(my $out, $file, O_RDWR) or die "cannot open $file: $!\n";
	open(my $ack, '>>', $acks) or die "cannot open $acks: $!\n";
	for (;; $number++) {
		sysseek($out, ($number % SLOTS) * SIZE, 0);
		syswrite($out, record($number)) == SIZE or die "cannot write $file: $!\n";
		$out->sync or die "cannot fsync $file: $!\n";
		syswrite($ack, "$number\n") or die "cannot write $acks: $!\n";
	}
}

# A record that was not acknowledged may have taken a slot, if it is a later one.
sub verify {
	my ($file, $acks) = @_;
	my (%last, $lost);

	$last{$_ % SLOTS} = $_ for acknowledged($acks);
	die "nothing has been acknowledged in $acks\n" unless %last;
	open(my $in, '<:raw', $file) or die "cannot open $file: $!\n";
	for my $slot (sort { $a <=> $b } keys %last) {
		my $have = '';

		sysseek($in, $slot * SIZE, 0);
		sysread($in, $have, SIZE);
		my ($number) = $have =~ /^record +(\d+)\n/;
		next if defined $number && $number >= $last{$slot} &&
			$number % SLOTS == $slot && $have eq record($number);
		print "record $last{$slot} is lost\n" if ++$lost <= 5;
	}
	printf("%d of %d slots are lost\n", $lost // 0, scalar(keys %last));
	exit($lost ? 1 : 0);
}

my ($verb, @files) = @ARGV;
die "usage: records.pl write|verify FILE ACKS\n" unless @files == 2;
write_records(@files) if $verb eq 'write';
verify(@files) if $verb eq 'verify';
die "records.pl: $verb is neither write nor verify\n";
