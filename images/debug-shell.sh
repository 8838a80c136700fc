#!/usr/bin/busybox sh
# SSH into this boot, for whoever has the private half of the key that the boot server put on the kernel command line.
# Without one nothing listens, and root keeps a shell that is none.
. "${0%/*}/network.sh"
key=$(word INGOT_DEBUG_KEY)
[ -n "$key" ] || exit 0

# A public key on the curve P-256 begins so, and has 140 characters: a word with blanks or options in it is no key.
case $key in
  *[!A-Za-z0-9+/=]*) known=no ;;
  AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBB*) known=yes ;;
  *) known=no ;;
esac
if [ $known = no ] || [ ${#key} != 140 ]; then
  say ssh "INGOT_DEBUG_KEY is no key of a boot server: nobody gets in"
  exit 1
fi

umask 077
mkdir -p /root/.ssh $state/ssh
echo "no-port-forwarding,no-agent-forwarding,no-X11-forwarding ecdsa-sha2-nistp256 $key" >/root/.ssh/authorized_keys
sed -i 's|^\(root:.*:\)/bin/false$|\1/bin/sh|' /etc/passwd
chmod 644 /etc/passwd
# Of this boot alone, in memory.
if ! made=$(dropbearkey -t ecdsa -s 256 -f $state/ssh/host_key 2>&1); then
  say ssh "no host key: $made"
  exit 1
fi
# The agent tells the boot server, so that nobody has to compare.
echo "$made" | sed -n 's/^ecdsa-sha2-nistp256 \([^ ]*\).*/\1/p' >$state/ssh/host_key.pub.part
mv $state/ssh/host_key.pub.part $state/ssh/host_key.pub
say ssh "open to the debug key of this boot; host key $(echo "$made" | sed -n 's/^Fingerprint: //p')"

# No passwords (-s), no forwarding (-j -k). Who comes in is said; who knocks would fill the memory.
dropbear -F -E -s -g -j -k -m -T 3 -K 30 -p 22 -r $state/ssh/host_key 2>&1 | while read -r line; do
  case $line in
    *'auth succeeded'*) say ssh "someone is in, from ${line##* from }" ;;
    *'Exit (root)'*) say ssh "someone has left: ${line##*Exit (root) }" ;;
    *'ailed listening'*) say ssh "${line#*] }" ;;
  esac
done
say ssh "closed: dropbear has ended"
