# An HTTP server that answers every request with the name of its host, with no more than Debian's perl-base has.
use strict;
use warnings;
use IO::Socket::INET;
use POSIX ();

$SIG{TERM} = $SIG{INT} = sub { exit };
my $name = (POSIX::uname())[1] . "\n";
my $server = IO::Socket::INET->new(LocalPort => 8080, Listen => 128, ReuseAddr => 1) or die "listen on port 8080: $@\n";
while (my $client = $server->accept) {
    local $/ = "\r\n";
    while (my $line = <$client>) {
        last if $line eq "\r\n";
    }
    print $client "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ", length $name, "\r\n\r\n", $name;
    close $client;
}
