# podpath's prober for perl 5.10 and later: speaks the protocol of package
# wire (probes/wire/wire.go) on its standard streams. Runs as: perl -e SCRIPT.
# It needs only what Debian's perl-base has.
#
# One loop waits for all connections at once. A job is a request under way; a
# held connection is a job that is not open between its requests.
use strict;
use warnings;
no lib '.'; # the current folder is the application's
use Errno qw(EINPROGRESS EAGAIN EINTR ECONNREFUSED ETIMEDOUT ECONNRESET EPIPE EHOSTUNREACH ENETUNREACH EHOSTDOWN ENETDOWN EACCES EPERM);
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK O_RDONLY);
use POSIX ();
use Socket;

use constant { MAX_DATA => 768, AT_ONCE => 64, LIFETIME => 600 };
my $NOT_HELD = 'nothing is held under this ID';
my %RESULTS  = (
    ECONNREFUSED, 'refused', ETIMEDOUT, 'timeout', ECONNRESET, 'reset', EPIPE, 'reset',
    EHOSTUNREACH, 'unreachable', ENETUNREACH, 'unreachable', EHOSTDOWN, 'unreachable', ENETDOWN, 'unreachable',
    EACCES, 'denied', EPERM, 'denied',
);

my %jobs;    # the open ones, by the number of their descriptor
my %held;    # connections by the ID of their Hold
my ($asked, $input, $ended) = (0, '', 0);

# now is in seconds. perl-base has no finer clock than that of times(), which is good enough for deadlines.
my $ticks = POSIX::sysconf(POSIX::_SC_CLK_TCK());
my $fine  = eval { require Time::HiRes; Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC()) };
sub now { return $fine ? Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC()) : (POSIX::times())[0] / $ticks }
sub elapsed { my ($job) = @_; return $fine ? int((now() - $job->{began}) * 1e6) : 0 }

# say_line writes a line with one write. When that fails nobody listens any more.
sub say_line {
    my ($line) = @_;
    defined syswrite(STDOUT, "$line\n") or exit 1;
    return;
}

sub escape {
    my ($data) = @_;
    $data =~ s{([^A-Za-z0-9./:_,=])}{sprintf '\\0%03o', ord $1}ge;
    return $data eq '' ? '-' : $data;
}

sub unescape {
    my ($field) = @_;
    return '' if $field eq '-';
    $field =~ s{\\0([0-7]{3})}{chr oct $1}ge;
    return $field;
}

# answer ends a job, or what a held connection was asked.
sub answer {
    my ($job, $result, $data) = @_;
    delete $jobs{fileno $job->{socket}} if $job->{socket};
    while (length $data > MAX_DATA) {
        say_line("$job->{id} part $job->{connect} - $job->{port} " . escape(substr $data, 0, MAX_DATA, ''));
    }
    say_line("$job->{id} $result $job->{connect} " . elapsed($job) . " $job->{port} " . escape($data));
    return;
}

# fail answers with the error in $!.
sub fail {
    my ($job) = @_;
    my $result = $RESULTS{$! + 0};
    answer($job, $result ? ($result, $job->{data}) : ('failed', "$!"));
    return;
}

# reach begins to connect.
sub reach {
    my ($job, $type) = @_;
    my ($family, $target) = (AF_INET);
    if ($job->{address} =~ /:/) {
        my $ip = eval { Socket::inet_pton(Socket::AF_INET6(), $job->{address}) };
        return answer($job, 'failed', "this perl has no IPv6, or no address is called $job->{address}") if !$ip;
        ($family, $target) = (Socket::AF_INET6(), Socket::pack_sockaddr_in6($job->{to}, $ip));
    }
    else {
        my ($ip) = $job->{address} =~ /^(\d+\.\d+\.\d+\.\d+)$/ ? inet_aton($1) : ();
        return answer($job, 'failed', "no address is called $job->{address}") if !$ip;
        $target = pack_sockaddr_in($job->{to}, $ip);
    }
    socket my $socket, $family, $type, 0 or return fail($job);
    fcntl $socket, F_SETFL, fcntl($socket, F_GETFL, 0) | O_NONBLOCK;
    if (!connect $socket, $target) {
        return fail($job) if $! != EINPROGRESS;
    }
    $job->{socket} = $socket;
    $jobs{fileno $socket} = $job;
    $job->{step} = 'connect';
    return;
}

# connected goes on once the socket can be written.
sub connected {
    my ($job) = @_;
    if ($! = unpack 'i', getsockopt $job->{socket}, SOL_SOCKET, SO_ERROR) { ## no critic
        return fail($job);
    }
    $job->{port} = unpack 'x2 n', getsockname $job->{socket}; # at the same place for IPv4 and IPv6
    $job->{connect} = elapsed($job) if $job->{op} ne 'udp';
    if ($job->{op} eq 'hold') {
        $held{$job->{id}} = $job->{socket};
        return answer($job, 'ok', '');
    }
    $job->{step} = 'send';
    return;
}

# sent goes on when the socket takes more.
sub sent {
    my ($job) = @_;
    if (length $job->{payload} || $job->{op} eq 'udp') {
        my $n = syswrite $job->{socket}, $job->{payload};
        if (!defined $n) {
            return $! == EAGAIN || $! == EINTR ? () : fail($job);
        }
        substr $job->{payload}, 0, $n, '';
        return if length $job->{payload};
    }
    $job->{step} = 'receive';
    answer($job, 'ok', '') if !$job->{count};
    return;
}

# received goes on when there is something to read.
sub received {
    my ($job) = @_;
    my $n = sysread $job->{socket}, $job->{data}, $job->{count} - length $job->{data}, length $job->{data};
    if (!defined $n) {
        return $! == EAGAIN || $! == EINTR ? () : fail($job);
    }
    answer($job, 'ok', $job->{data}) if $n == 0 || $job->{op} ne 'tcp' || length $job->{data} == $job->{count};
    return;
}

sub read_file {
    my ($job) = @_;
    sysopen my $file, $job->{address}, O_RDONLY | O_NONBLOCK or return fail($job);
    my $n;
    do {
        $n = sysread $file, $job->{data}, $job->{count} - length $job->{data}, length $job->{data};
        return fail($job) if !defined $n;
    } while ($n && length $job->{data} < $job->{count});
    return answer($job, 'ok', $job->{data});
}

# begin starts what a line asks for.
sub begin {
    my ($line) = @_;
    my ($id, $op, $timeout, $address, $port, $count, $payload) = split / /, $line;
    $asked++;
    my $job = {
        id => $id, op => $op, began => now(), to => $port, count => $count, data => '', connect => '-', port => '-',
        address => unescape($address), payload => unescape($payload),
    };
    $job->{deadline} = $job->{began} + $timeout / 1000;
    if    ($op eq 'file')                { read_file($job) }
    elsif ($op eq 'udp')                 { reach($job, SOCK_DGRAM) }
    elsif ($op eq 'tcp' || $op eq 'hold') { reach($job, SOCK_STREAM) }
    elsif ($op ne 'more' && $op ne 'drop') { answer($job, 'failed', "perl cannot $op") }
    elsif (!$held{$id})                  { answer($job, 'failed', $NOT_HELD) }
    elsif ($op eq 'drop') {
        close delete $held{$id};
        answer($job, 'ok', '');
    }
    else {
        $job->{socket} = $held{$id};
        $job->{step}   = 'send';
        $jobs{fileno $job->{socket}} = $job;
    }
    return;
}

# begin_some begins what was read, as far as there is room. What asks for a held connection that is busy has to wait, and
# what comes after it.
sub begin_some {
    while (keys %jobs < AT_ONCE && $input =~ /^(\d+) ([^\n]*)\n/) {
        return if $held{$1} && $jobs{fileno $held{$1}};
        substr $input, 0, $+[0], '';
        begin("$1 $2");
    }
    return;
}

# room reports that more can be read.
sub room { return !$ended && $input !~ /\n/ }

# turn waits once, and does what can be done then.
sub turn {
    my ($read, $write) = ('', '');
    my $wait = LIFETIME;
    vec($read, fileno STDIN, 1) = 1 if room();
    my $now = now();
    for my $job (values %jobs) {
        vec($job->{step} eq 'receive' ? $read : $write, fileno $job->{socket}, 1) = 1;
        my $left = $job->{deadline} - $now;
        $wait = $left if $left < $wait;
    }
    my $n = select $read, $write, undef, $wait > 0 ? $wait : 0;
    $now = now();
    for my $fd (keys %jobs) {
        my $job = $jobs{$fd} or next;
        if ($n > 0 && (vec($read, $fd, 1) || vec($write, $fd, 1))) {
            $job->{step} eq 'connect' ? connected($job) : $job->{step} eq 'send' ? sent($job) : received($job);
        }
        elsif ($job->{deadline} <= $now) {
            answer($job, 'timeout', $job->{data});
        }
    }
    if ($n > 0 && vec $read, fileno STDIN, 1) {
        $ended = !sysread STDIN, $input, 65536, length $input;
    }
    begin_some();
    return;
}

alarm LIFETIME;
say_line('podpath 1 perl');
turn() while room() || %jobs;
say_line("END $asked");
