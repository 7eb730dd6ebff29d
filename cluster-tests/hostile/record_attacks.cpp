// Attacks with records: of nobody, of somebody else, broken, captured, bombs, and clones.
#include <memory>
#include <string>
#include <vector>

#include <zlib.h>

#include "base/time.hpp"
#include "cluster-tests/hostile/attacker.hpp"
#include "protocol/agent/control.hpp"
#include "protocol/agent/event_message.hpp"
#include "protocol/agent/record_crypto.hpp"

namespace picket::hostile {

namespace {

using agentsim::blocking_agent;
using agentsim::file_descriptor;

constexpr std::int64_t answer_limit_ms = 1'000;

byte_buffer framed(byte_view record) {
  byte_buffer frame;
  protocol::append_frame(frame, record);
  return frame;
}

/// One record for each connection; the node ends it.
void one_record(attacker& by, byte_view record, int source) {
  auto fd = by.connect(by.at.agents, source);
  if (!fd) return;
  by.send(fd, framed(record));
  by.wait_closed(fd, answer_limit_ms);
  attacker::reset(fd);
}

void unknown_ids(attacker& by) {
  auto nobody = by.at.insider;
  for (int i = 0; by.pace(); ++i) {
    nobody.id = std::to_string(100'000 + i);
    blocking_agent agent{nobody, answer_limit_ms};
    one_record(by, agent.seal(protocol::format_startup("v4.14.7")), i % 2'000);
  }
}

void wrong_key(attacker& by) {
  auto forged = by.at.victim;
  forged.key = "0000000000000000000000000000000000000000000000000000000000000000";
  blocking_agent agent{forged, answer_limit_ms};
  while (by.pace())
    one_record(by, agent.seal(protocol::format_startup("v4.14.7")), -1);
}

/// Encrypts any body with the insider's key, as a program of the attacker's own would.
byte_buffer seal_raw(const agentsim::agent_identity& who, std::string_view inflated) {
  std::string stream(compressBound(inflated.size()), '\0');
  uLongf size = stream.size();
  compress2(reinterpret_cast<Bytef*>(stream.data()), &size, reinterpret_cast<const Bytef*>(inflated.data()),
            inflated.size(), 9);
  std::string plain = "!" + stream.substr(0, size);
  const auto padding = 16 - plain.size() % 16;
  plain.append(padding, static_cast<char>(padding));
  protocol::crypto::block_cipher cipher{protocol::derive_record_key(who.id, who.name, who.key),
                                        protocol::crypto::direction::encrypt};
  byte_buffer encrypted(plain.size());
  cipher.run(protocol::record_cipher::aes, as_bytes(plain), encrypted.data());
  std::string head = "!" + who.id + "!#AES:";
  byte_buffer record{as_bytes(head).begin(), as_bytes(head).end()};
  record.insert(record.end(), encrypted.begin(), encrypted.end());
  return record;
}

void wrong_digest(attacker& by) {
  const std::string body =
      std::string(32, 'a') + "123450000000001:0001:#!-agent startup {\"version\":\"v4.14.7\"}";
  const auto record = seal_raw(by.at.insider, body);
  while (by.pace())
    one_record(by, record, -1);
}

void bombs(attacker& by) {
  const auto record = seal_raw(by.at.insider, std::string(10'000'000, '\0')); // some 10 KiB
  while (by.pace())
    one_record(by, record, -1);
}

/// Garbage as an agent that has proven itself, behind its start-up.
void insider_garbage(attacker& by) {
  blocking_agent agent{by.at.insider, answer_limit_ms};
  const std::string garbage(3'000, 'g');
  while (by.pace()) {
    if (!agent.connect(by.at.agents)) {
      ++by.counts.failed;
      continue;
    }
    ++by.counts.connections;
    agent.counters = {static_cast<std::uint32_t>(wall_clock_ms() / 1'000), agent.counters.local};
    if (agent.startup()) ++by.counts.answers;
    static_cast<void>(agent.send_record(as_bytes(garbage)));
    ++by.counts.sent;
    if (agent.wait_closed()) ++by.counts.closed;
  }
}

/// What the victim has sent once: its start-up, a keep-alive and events, over and over.
void replays(attacker& by) {
  blocking_agent victim{by.at.victim, answer_limit_ms};
  victim.counters = {1, 1}; // long ago
  std::vector<byte_buffer> captured;
  captured.push_back(victim.seal(protocol::format_startup("v4.14.7")));
  captured.push_back(victim.seal("#!-Linux |replayed |6.1.0 [Debian] - Wazuh v4.14.7"));
  captured.push_back(victim.seal(protocol::format_event_message('1', "/var/log/auth.log", "replayed line")));
  std::vector<file_descriptor> held(by.sockets);
  for (std::size_t i = 0; by.pace(); ++i) {
    auto& fd = held[i % held.size()];
    if (fd) attacker::reset(fd);
    fd = by.connect(by.at.agents);
    if (fd) by.send(fd, framed(captured[i % captured.size()]));
  }
}

/// A second machine with the victim's key, as an agent: with counters of its own, refused, and again.
void clone(attacker& by) {
  blocking_agent twin{by.at.victim, answer_limit_ms};
  twin.counters = {2, 1};
  while (by.pace()) {
    auto fd = by.connect(by.at.agents);
    if (!fd) continue;
    twin.use(std::move(fd));
    if (twin.startup()) ++by.counts.answers;
    ++by.counts.sent;
  }
}

/// Machines with the victim's key and its counters: each takes over from the one before.
void clone_with_counters(attacker& by) {
  std::vector<std::unique_ptr<blocking_agent>> machines;
  for (std::size_t i = 0; i < by.sockets; ++i)
    machines.push_back(std::make_unique<blocking_agent>(by.at.victim, answer_limit_ms));
  protocol::counter_pair counters{4'000'000'000U, 1}; // above all that the victim will have
  for (std::size_t i = 0; by.pace(); i = (i + 1) % machines.size()) {
    auto& machine = *machines[i];
    auto fd = by.connect(by.at.agents);
    if (!fd) continue;
    machine.use(std::move(fd));
    machine.counters = counters;
    if (machine.startup()) ++by.counts.answers;
    ++by.counts.sent;
    counters = machine.counters;
  }
}

/// Many refused connections of one clone, all held open.
void refused_hoard(attacker& by) {
  blocking_agent twin{by.at.victim, answer_limit_ms};
  twin.counters = {2, 1};
  std::vector<file_descriptor> held(by.sockets);
  for (std::size_t i = 0; by.pace(); i = (i + 1) % held.size()) {
    if (held[i]) by.closed(held[i]);
    held[i] = by.connect(by.at.agents);
    if (held[i]) by.send(held[i], framed(twin.seal(protocol::format_startup("v4.14.7"))));
  }
}

} // namespace

std::span<const attack> record_attacks() {
  static constexpr attack all[] = {
      {"unknown-ids", "records under ids that nobody has", unknown_ids, 1'000, 1},
      {"wrong-key", "records under an agent's id, sealed with another key", wrong_key, 1'000, 1},
      {"wrong-digest", "records that open and whose digest is wrong", wrong_digest, 500, 1},
      {"bombs", "records of 10 KiB that inflate to 10 MB", bombs, 200, 1},
      {"insider-garbage", "an agent that sends garbage behind its start-up", insider_garbage, 200, 1},
      {"replays", "an agent's captured start-up, keep-alive and event", replays, 500, 100},
      {"clone", "a second machine with an agent's key", clone, 50, 1},
      {"clone-with-counters", "the same with the agent's counters", clone_with_counters, 20, 4},
      {"refused-hoard", "refused connections of a clone, held open", refused_hoard, 500, 1'000},
  };
  return all;
}

} // namespace picket::hostile
