#!/bin/bash
# Records the captures beside it that need no machine: Debian's DHCP, TFTP and LLDP programs talking over veth pairs
# in network namespaces of their own. Needs root and the packages isc-dhcp-client, isc-dhcp-server, isc-dhcp-relay,
# busybox, dnsmasq-base, atftpd, atftp, tftp-hpa, lldpd, tcpdump, iproute2. Writes into the directory it is given.
set -euo pipefail
out=$(realpath "${1:?usage: capture.sh DIRECTORY}")
work=$(mktemp -d)
C=wire-client R=wire-relay S=wire-server
pids=()
cleanup() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  for ns in $C $R $S; do ip netns del $ns 2>/dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT
in_ns() { ip netns exec "$@"; }
spawn() { ip netns exec "$@" >>"$work/log" 2>&1 & pids+=($!); } # namespace, program; `ip` becomes the program
capture() { # namespace, interface, name, filter
  ip netns exec "$1" tcpdump -i "$2" -U -s 0 --immediate-mode -w "$out/$3.pcap" "$4" 2>>"$work/log" & tcpdump=$!
  pids+=($tcpdump); sleep 1
}
captured() { sleep 1; kill -INT $tcpdump; wait $tcpdump || true; }

for ns in $C $R $S; do ip netns add $ns; ip -n $ns link set lo up; done
ip -n $C link add eth0 address 52:54:00:00:01:01 type veth peer name Vlan4000 netns $R
ip -n $R link add eth0 address 52:54:00:00:0b:01 type veth peer name eth0 netns $S
ip -n $C link set eth0 up
ip -n $R link set Vlan4000 address 52:54:00:00:0a:01 up; ip -n $R addr add 10.0.1.1/24 dev Vlan4000
ip -n $R link set eth0 up; ip -n $R addr add 10.0.0.11/24 dev eth0
ip -n $S link set eth0 address 52:54:00:00:00:01 up; ip -n $S addr add 10.0.0.1/24 dev eth0
ip -n $S route add 10.0.1.0/24 via 10.0.0.11

long=$(printf 'x%.0s' {1..180})
cat >"$work/dhcpd.conf" <<CONF
option extra-a code 224 = text;
option extra-b code 225 = text;
option extra-c code 226 = text;
option classless-routes code 121 = array of unsigned integer 8;
default-lease-time 600; max-lease-time 7200; authoritative;
subnet 10.0.0.0 netmask 255.255.255.0 { }
subnet 10.0.1.0 netmask 255.255.255.0 {
  range 10.0.1.100 10.0.1.199;
  option routers 10.0.1.1; option domain-name-servers 10.0.0.1, 10.0.0.2; option ntp-servers 10.0.0.1;
  option domain-name "rack.example"; option interface-mtu 1500; option broadcast-address 10.0.1.255;
  option classless-routes 24, 10, 0, 7, 10, 0, 1, 1, 0, 10, 0, 1, 1;
  option extra-a "$long"; option extra-b "$long"; option extra-c "${long}${long}";
  next-server 10.0.0.1;
  if exists user-class { filename "http://10.0.0.1:8080/_/ipxe?mac=52:54:00:00:01:01"; }
}
CONF
touch "$work/leases"; chmod 777 "$work"; chmod 666 "$work/leases"
spawn $S dhcpd -4 -f --no-pid -cf "$work/dhcpd.conf" -lf "$work/leases" eth0
spawn $R dhcrelay -4 -d --no-pid -a -m append -c 10 -id Vlan4000 -iu eth0 10.0.0.1
sleep 2

# dhclient as PXE firmware would speak, and asking for more than fits: option 52 and RFC 3396 pieces come back.
cat >"$work/dhclient.conf" <<'CONF'
option arch code 93 = array of unsigned integer 16;
option undi code 94 = string;
option guid code 97 = string;
option classless-routes code 121 = array of unsigned integer 8;
option extra-a code 224 = text;
option extra-b code 225 = text;
option extra-c code 226 = text;
send vendor-class-identifier "PXEClient:Arch:00007:UNDI:003016";
send arch 7, 16; send undi 01:03:10;
send guid 00:4b:37:12:8e:6e:72:4a:8d:87:da:8a:d4:d7:75:58:2c;
send user-class "\004iPXE"; send dhcp-client-identifier 01:52:54:00:00:01:01;
send dhcp-max-message-size 576;
request subnet-mask, routers, domain-name-servers, domain-name, ntp-servers, interface-mtu, broadcast-address,
  classless-routes, extra-a, extra-b, extra-c;
CONF
dhclient() { ip netns exec $C dhclient -4 -1 -d -pf "$work/dhclient.pid" -lf "$work/dhclient.leases" -sf /bin/true -cf "$1" eth0 >>"$work/log" 2>&1 & dhclient=$!; pids+=($dhclient); sleep 3; kill $dhclient; wait $dhclient || true; }
capture $S eth0 dhclient-relayed 'udp port 67 or udp port 68'
dhclient "$work/dhclient.conf"
captured
sed '/user-class/s/^send user-class[^;]*;//' "$work/dhclient.conf" >"$work/overload.conf"
capture $S eth0 dhclient-overload 'udp port 67 or udp port 68'
rm -f "$work/dhclient.leases"; dhclient "$work/overload.conf"
captured
capture $C eth0 dhclient-plain 'udp port 67 or udp port 68'
rm -f "$work/dhclient.leases"; echo >"$work/plain.conf"; dhclient "$work/plain.conf"
captured
capture $S eth0 udhcpc-relayed 'udp port 67 or udp port 68'
in_ns $C busybox udhcpc -f -n -q -R -i eth0 -s /bin/true -V 'udhcp ingot' -x hostname:machine-1 -x 0x4d:69505845 -O 121 -O 66 -O 67 >>"$work/log" 2>&1
in_ns $C busybox udhcpc -f -n -q -i eth0 -s /bin/true -C >>"$work/log" 2>&1
captured
kill "${pids[0]}"; sleep 1

# dnsmasq as a ProxyDHCP server with a boot menu: option 43 as PXE lays it out.
spawn $S dnsmasq -k -C /dev/null -p 0 -u root --pid-file= --leasefile-ro --no-ping -i eth0 --bind-interfaces -F 10.0.1.0,proxy,255.255.255.0 \
  --pxe-prompt='Boot from the rack?,5' --pxe-service=x86-64_EFI,'Ingot',snponly.efi --pxe-service=x86PC,'Ingot',undionly --dhcp-no-override
sleep 1
capture $S eth0 dnsmasq-proxy 'udp port 67 or udp port 68 or udp port 4011'
sed 's/:00007:/:00000:/; s/arch 7, 16/arch 0/; /user-class/s/^send user-class[^;]*;//' "$work/dhclient.conf" >"$work/bios.conf"
rm -f "$work/dhclient.leases"; dhclient "$work/bios.conf"
captured

# Three TFTP clients and atftpd.
mkdir "$work/tftp"; head -c 3000 /dev/urandom >"$work/tftp/boot.bin"; chmod -R a+rX "$work"
ip -n $C addr add 10.0.1.50/24 dev eth0; ip -n $C route add default via 10.0.1.1
in_ns $R sysctl -qw net.ipv4.ip_forward=1
spawn $S atftpd --daemon --no-fork --user root --group root --bind-address 10.0.0.1 "$work/tftp"
sleep 1
capture $C eth0 tftp 'udp and not port 67 and not port 68'
cd "$work"
in_ns $C busybox tftp -g -r boot.bin -l b1 -b 1428 10.0.0.1
in_ns $C busybox tftp -g -r boot.bin -l b2 10.0.0.1
in_ns $C busybox tftp -g -r missing -l b3 10.0.0.1 2>>"$work/log" || true
in_ns $C atftp --option 'blksize 1024' --option 'tsize' --option 'windowsize 2' --option 'timeout 3' -g -r boot.bin -l b4 10.0.0.1 >>"$work/log" 2>&1 || true
in_ns $C tftp -m octet 10.0.0.1 -c get boot.bin b5 >>"$work/log" 2>&1 || true
captured

# lldpd at the switch's end of a link.
capture $C eth0 lldpd 'ether proto 0x88cc'
mkdir -m 777 "$work/lldpd"
spawn $R unshare --uts sh -c "hostname leaf1.rack.example; exec lldpd -d -u $work/lldpd/socket -C Vlan4000 -I Vlan4000 -S 'SONiC stand-in' -m '10.*' -M 4"
sleep 3
lldpcli() { in_ns $R lldpcli -u "$work/lldpd/socket" "$@" >>"$work/log" 2>&1 || true; }
lldpcli configure ports Vlan4000 lldp portidsubtype local Ethernet0
lldpcli configure ports Vlan4000 dot3 power pd supported enabled class class-3 powerpairs signal
lldpcli configure lldp tx-interval 1
lldpcli configure ports Vlan4000 lldp custom-tlv oui 33,44,55 subtype 44 oui-info 45,45,45
sleep 3
kill "${pids[-1]}"; sleep 1   # its last frame takes everything back: TTL 0
captured
cat "$work/log" >"${LOG:-/dev/null}"
