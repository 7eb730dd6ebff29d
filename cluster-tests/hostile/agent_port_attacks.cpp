// Attacks on the agent port that need no key: connections that sit there, that come in floods, frames that
// are none.
#include <vector>

#include "cluster-tests/hostile/attacker.hpp"
#include "protocol/agent/frame.hpp"

namespace picket::hostile {

namespace {

using agentsim::file_descriptor;

byte_buffer length_of(std::uint32_t length) {
  byte_buffer bytes;
  for (int shift = 0; shift < 32; shift += 8)
    bytes.push_back(static_cast<std::byte>(length >> shift));
  return bytes;
}

/// Keeps `sockets` connections open, each a byte further at each step.
void slow_loris(attacker& by) {
  struct slow {
    file_descriptor fd;
    std::size_t at = 0;
  };
  auto frame = length_of(1'000);
  frame.resize(1'004, static_cast<std::byte>('!'));
  std::vector<slow> all(by.sockets);
  for (std::size_t i = 0; by.pace(); i = (i + 1) % all.size()) {
    auto& one = all[i];
    if (one.fd && by.closed(one.fd)) one.fd.reset();
    if (!one.fd) one = {by.connect(by.at.agents), 0};
    if (one.fd && by.send(one.fd, byte_view{frame}.subspan(one.at, 1))) one.at = (one.at + 1) % frame.size();
  }
}

void silent(attacker& by) {
  std::vector<file_descriptor> all(by.sockets);
  for (std::size_t i = 0; by.pace(); i = (i + 1) % all.size()) {
    if (all[i] && by.closed(all[i])) all[i].reset();
    if (!all[i]) all[i] = by.connect(by.at.agents);
  }
}

/// Large frames of which the last byte never comes.
void half_frames(attacker& by) {
  auto frame = length_of(protocol::max_record_bytes);
  frame.resize(protocol::max_record_bytes + 3, static_cast<std::byte>('x'));
  std::vector<file_descriptor> all(by.sockets);
  for (std::size_t i = 0; by.pace(); i = (i + 1) % all.size()) {
    if (all[i] && by.closed(all[i])) all[i].reset();
    if (all[i]) continue;
    all[i] = by.connect(by.at.agents);
    if (all[i]) by.send(all[i], frame);
  }
}

void bad_lengths(attacker& by) {
  const std::uint32_t lengths[] = {0, 65'537, 0x7fffffff, 0xffffffff, 0x01000000};
  for (std::size_t i = 0; by.pace(); ++i) {
    auto fd = by.connect(by.at.agents);
    if (!fd) continue;
    auto frame = length_of(lengths[i % std::size(lengths)]);
    frame.resize(64, std::byte{0});
    by.send(fd, frame);
    by.wait_closed(fd, 1'000);
    attacker::reset(fd);
  }
}

void flood(attacker& by, bool many_addresses) {
  for (int i = 0; by.pace(); ++i) {
    auto fd = by.connect(by.at.agents, many_addresses ? i % 50'000 : -1);
    if (fd) attacker::reset(fd);
  }
}
void flood_one_address(attacker& by) { flood(by, false); }
void flood_many_addresses(attacker& by) { flood(by, true); }

/// As many connections as it can get, from many addresses, none of which says anything.
void hoard(attacker& by) {
  std::vector<file_descriptor> all(by.sockets);
  for (std::size_t i = 0; by.pace(); i = (i + 1) % all.size()) {
    if (all[i] && by.closed(all[i])) all[i].reset();
    if (!all[i]) all[i] = by.connect(by.at.agents, static_cast<int>(i % 5'000));
  }
}

/// Checks of a balancer without end, answers unread.
void pings(attacker& by) {
  byte_buffer many;
  for (int i = 0; i < 50; ++i)
    protocol::append_frame(many, as_bytes(protocol::ping_record));
  file_descriptor fd;
  while (by.pace()) {
    if (!fd) fd = by.connect(by.at.agents);
    if (fd && (!by.send(fd, many) || by.closed(fd))) attacker::reset(fd);
  }
}

} // namespace

std::span<const attack> agent_port_attacks() {
  static constexpr attack all[] = {
      {"slow-loris", "connections to 1514 that send a byte now and then", slow_loris, 2'000, 500},
      {"silent", "connections to 1514 that send nothing", silent, 1'000, 500},
      {"half-frames", "large frames whose end never comes", half_frames, 300, 1'500},
      {"bad-lengths", "frames of length 0 and above the greatest", bad_lengths, 500, 1},
      {"flood-one-address", "connections from one address, ended at once", flood_one_address, 2'000, 1},
      {"flood-many-addresses", "connections from many addresses, ended at once", flood_many_addresses, 2'000,
       1},
      {"hoard", "more connections than the node takes, from many addresses", hoard, 1'000, 1'500},
      {"pings", "a balancer's check without end", pings, 500, 1},
  };
  return all;
}

} // namespace picket::hostile
