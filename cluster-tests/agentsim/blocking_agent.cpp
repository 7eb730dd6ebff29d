#include "cluster-tests/agentsim/blocking_agent.hpp"

#include "base/time.hpp"
#include "protocol/agent/control.hpp"
#include "protocol/agent/event_message.hpp"

#include <cerrno>

#include <sys/socket.h>

namespace picket::agentsim {

tl::expected<agent_identity, std::string> identity_of(const std::string& answer) {
  auto parsed = protocol::parse_enrollment_answer(answer);
  if (!parsed) return tl::unexpected(parsed.error());
  agent_identity who;
  who.id = parsed->id;
  who.name = parsed->name;
  who.address = parsed->address;
  who.key = parsed->key;
  return who;
}

blocking_agent::blocking_agent(agent_identity who, std::int64_t timeout_ms)
    : who_(std::move(who))
    , timeout_ms_(timeout_ms)
    , sealer_(protocol::derive_record_key(who_.id, who_.name, who_.key))
    , opener_(protocol::derive_record_key(who_.id, who_.name, who_.key)) {}

result<void> blocking_agent::connect(const socket_address& to, const socket_address* from) {
  in_.clear();
  auto fd = begin_connect(to, from);
  if (!fd) return tl::unexpected(fd.error());
  if (!wait_writable(fd->get(), steady_clock_ms() + timeout_ms_))
    return fail(errc::timeout, "no connection in time");
  if (int number = connect_outcome(fd->get()); number != 0)
    return fail(errc::io, "cannot connect: " + system_text(number));
  fd_ = std::move(*fd);
  return {};
}

result<std::string> blocking_agent::startup(std::string_view version) {
  if (auto sent = send_message(protocol::format_startup(version)); !sent) return tl::unexpected(sent.error());
  return receive();
}

result<void> blocking_agent::send_event(std::string_view location, std::string_view text, char queue) {
  return send_message(protocol::format_event_message(queue, location, text));
}

result<std::string> blocking_agent::keepalive(std::string_view merged_sum) {
  protocol::keepalive text;
  text.uname = "Linux |" + who_.name + " |6.1.0 |#1 SMP |x86_64 [Debian GNU/Linux|debian: 12 (bookworm)]";
  text.version = "Wazuh v4.14.7";
  text.merged_sum = merged_sum;
  if (auto sent = send_message(protocol::format_keepalive(text)); !sent) return tl::unexpected(sent.error());
  return receive();
}

byte_buffer blocking_agent::seal(std::string_view message) {
  counters = protocol::next_agent_pair(counters);
  protocol::seal_options options;
  options.cipher = cipher;
  options.counters = counters;
  options.salt = static_cast<std::uint16_t>(counters.local * 7);
  if (sends_id) options.id = who_.id;
  byte_buffer record;
  static_cast<void>(
      sealer_.seal(message, options, record, seal_scratch_)); // empty if the message is too long
  return record;
}

result<void> blocking_agent::send_message(std::string_view message) { return send_record(seal(message)); }

result<void> blocking_agent::send_record(byte_view record) {
  byte_buffer frame;
  protocol::append_frame(frame, record);
  return send_bytes(frame);
}

result<void> blocking_agent::send_bytes(byte_view bytes) {
  const auto deadline_ms = steady_clock_ms() + timeout_ms_;
  while (!bytes.empty()) {
    auto n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    } else if (n < 0 && errno == EAGAIN) {
      if (!wait_writable(fd_.get(), deadline_ms)) return fail(errc::timeout, "the peer does not read");
    } else if (errno != EINTR) {
      return fail(errc::io, "cannot send: " + system_text(errno));
    }
  }
  return {};
}

result<byte_buffer> blocking_agent::receive_record() {
  const auto deadline_ms = steady_clock_ms() + timeout_ms_;
  for (;;) {
    auto cut = protocol::cut_frame(in_);
    if (cut.status == protocol::frame_status::complete) {
      byte_buffer record{cut.record.begin(), cut.record.end()};
      in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(cut.consumed));
      return record;
    }
    if (cut.status != protocol::frame_status::incomplete)
      return fail(errc::corrupt, "a frame of a wrong length");
    if (!wait_readable(fd_.get(), deadline_ms)) return fail(errc::timeout, "no record in time");
    std::byte buffer[16'384];
    auto n = ::recv(fd_.get(), buffer, sizeof buffer, 0);
    if (n == 0) return fail(errc::io, "the peer has ended the connection");
    if (n < 0 && errno != EAGAIN && errno != EINTR)
      return fail(errc::io, "cannot receive: " + system_text(errno));
    if (n > 0) in_.insert(in_.end(), buffer, buffer + n);
  }
}

result<std::string> blocking_agent::receive() {
  auto record = receive_record();
  if (!record) return tl::unexpected(record.error());
  if (protocol::is_ping(*record) || as_text(*record) == protocol::pong_record)
    return std::string{as_text(*record)};
  auto head = protocol::parse_record_head(*record);
  if (!head)
    return fail(errc::corrupt,
                std::string{"a record without its tag: "} + std::string{name_of(head.error())});
  auto opened = opener_.open(head->cipher, head->ciphertext, open_scratch_);
  if (!opened)
    return fail(errc::corrupt,
                std::string{"a record that does not open: "} + std::string{name_of(opened.error())});
  return std::string{opened->message};
}

bool blocking_agent::wait_closed() {
  const auto deadline_ms = steady_clock_ms() + timeout_ms_;
  while (wait_readable(fd_.get(), deadline_ms)) {
    std::byte buffer[16'384];
    auto n = ::recv(fd_.get(), buffer, sizeof buffer, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return true;
  }
  return false;
}

} // namespace picket::agentsim
