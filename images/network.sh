# What the scripts of the network share; read by them, never run.
state=/run/ingot

# A line on the console. What comes from the network keeps no control characters.
say() {
  read -r up _ </proc/uptime
  echo "INGOT $up $*" | tr -d '\000-\011\013-\037\177' >>/dev/console
}

# The value of a word of the kernel command line; of several the last.
word() {
  sed -n "s/^\(.* \)\{0,1\}$1=\([^ ]*\).*\$/\2/p" /proc/cmdline
}

# Whether the firmware booted from this NIC. A VLAN has the address of its NIC.
is_boot_nic() {
  read -r mac <"/sys/class/net/$1/address"
  [ "01:$mac" = "$(word BOOTIF | tr 'A-F-' 'a-f:')" ]
}

# Every NIC keeps a default route of its own; the boot NIC's wins, the others follow in the order of their index.
metric() {
  read -r index <"/sys/class/net/$1/ifindex"
  if is_boot_nic "$1"; then echo 50; else echo $((100 + index)); fi
}

# name_servers SOURCE SERVER...: what one source says now, in place of what it said before.
name_servers() {
  file=$state/leases/$1.dns
  shift
  for server in "$@"; do echo "nameserver $server"; done >"$file"
  # Several NICs may get here at once; nobody waits for one that was killed.
  for _ in 1 2 3 4 5 6 7 8 9 10; do mkdir $state/leases/lock 2>/dev/null && break || sleep 0.1; done
  # The agent's own servers are in a file that comes first.
  cat $state/leases/*.dns | awk '!seen[$0]++' >$state/resolv.conf.new
  mv $state/resolv.conf.new $state/resolv.conf
  rmdir $state/leases/lock 2>/dev/null
}
