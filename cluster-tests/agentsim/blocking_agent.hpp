#pragma once

#include "cluster-tests/agentsim/enrollment_client.hpp"
#include "protocol/agent/record.hpp"

#include <optional>
#include <string>

/// One agent for tests that look at single records: every call waits for its end, at most `timeout_ms`.

namespace picket::agentsim {

struct agent_identity {
  std::string id;
  std::string name;
  std::string address;
  std::string key;
};

/// The identity that an enrollment's answer brought; the text of the refusal otherwise.
tl::expected<agent_identity, std::string> identity_of(const std::string& answer);

class blocking_agent {
public:
  explicit blocking_agent(agent_identity who, std::int64_t timeout_ms = 10'000);

  const agent_identity& who() const noexcept { return who_; }
  protocol::record_cipher cipher = protocol::record_cipher::aes;
  bool sends_id = true;            ///< false: known by its source address
  protocol::counter_pair counters; ///< of the record sent last

  result<void> connect(const socket_address& to, const socket_address* from = nullptr);
  /// Connects nothing: the descriptor of a connection made elsewhere.
  void use(file_descriptor fd) { fd_ = std::move(fd); }
  void close() noexcept { fd_.reset(); }
  bool connected() const noexcept { return static_cast<bool>(fd_); }
  int fd() const noexcept { return fd_.get(); }

  /// Start-up; the first record back, which should be the ack.
  result<std::string> startup(std::string_view version = "v4.14.7");
  result<void> send_event(std::string_view location, std::string_view text, char queue = '1');
  result<std::string> keepalive(std::string_view merged_sum = "x"); ///< and the record that answers it
  result<void> send_message(std::string_view message);
  result<void> send_record(byte_view record); ///< with the length in front
  result<void> send_bytes(byte_view bytes);
  /// The record that `send_message` would send next, with its counters.
  byte_buffer seal(std::string_view message);

  /// The next record's message, opened.
  result<std::string> receive();
  /// The next frame as it is.
  result<byte_buffer> receive_record();
  /// The peer has ended the connection: what was still sent is read and dropped. False at the time limit.
  bool wait_closed();

private:
  agent_identity who_;
  std::int64_t timeout_ms_;
  protocol::record_sealer sealer_;
  protocol::record_opener opener_;
  protocol::seal_scratch seal_scratch_;
  protocol::open_scratch open_scratch_;
  file_descriptor fd_;
  byte_buffer in_;
};

} // namespace picket::agentsim
