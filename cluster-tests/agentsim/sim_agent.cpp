#include "cluster-tests/agentsim/sim_agent.hpp"

#include <algorithm>
#include <limits>

#include <openssl/evp.h>

namespace picket::agentsim {

namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

/// Shared by all agents of the thread; the memory is large and used for one record at a time.
protocol::seal_scratch& sealing() {
  thread_local protocol::seal_scratch scratch;
  return scratch;
}

protocol::open_scratch& opening() {
  thread_local protocol::open_scratch scratch;
  return scratch;
}

std::string md5_of(std::string_view text) {
  std::array<std::byte, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), &size, EVP_md5(),
             nullptr);
  return to_hex(byte_view{digest}.first(size));
}

} // namespace

sim_agent::sim_agent(agent_identity who, const agent_options& options)
    : who_(std::move(who))
    , options_(options)
    , sealer_(protocol::derive_record_key(who_.id, who_.name, who_.key))
    , opener_(protocol::derive_record_key(who_.id, who_.name, who_.key))
    , counters_(options.first_counters) {}

sim_agent::ask sim_agent::start(std::int64_t now_ms) { return open(now_ms); }

sim_agent::ask sim_agent::open(std::int64_t now_ms) {
  phase_ = phase::connecting;
  reconnecting_ = false;
  in_.clear();
  output.clear();
  output_sent = 0;
  records_ = 0;
  in_file_ = false;
  deadline_ms_ = now_ms + options_.timing.recv_timeout_ms;
  return ask::open;
}

sim_agent::ask sim_agent::stop(std::int64_t) {
  stopped_ = true;
  if (phase_ != phase::connected) {
    phase_ = phase::offline;
    return ask::close;
  }
  seal(protocol::shutdown_message, output);
  phase_ = phase::offline;
  return ask::finish;
}

sim_agent::ask sim_agent::on_connected(std::int64_t now_ms) {
  phase_ = phase::starting;
  deadline_ms_ = now_ms + options_.timing.recv_timeout_ms;
  ++counts_.startups;
  seal(protocol::format_startup(options_.version), output);
  return ask::nothing;
}

sim_agent::ask sim_agent::fail_attempt(std::int64_t now_ms) {
  // The socket stays open during the pause; that is what agents do.
  phase_ = phase::waiting;
  deadline_ms_ = now_ms + options_.timing.retry_interval_ms;
  if (++attempts_ >= options_.timing.max_retries) {
    attempts_ = 0;
    server_ = (server_ + 1) % options_.servers;
  }
  return ask::nothing;
}

sim_agent::ask sim_agent::on_closed(std::int64_t now_ms) {
  if (stopped_) {
    phase_ = phase::offline;
    return ask::close;
  }
  switch (phase_) {
  case phase::connected:
    if (!reconnecting_) ++counts_.lost_connections;
    return open(now_ms); // at once, with the same server
  case phase::connecting:
  case phase::starting:
    fail_attempt(now_ms);
    return ask::close;
  case phase::waiting:
  case phase::offline:
    break;
  }
  return ask::close;
}

sim_agent::ask sim_agent::on_bytes(byte_view bytes, std::int64_t now_ms) {
  in_.insert(in_.end(), bytes.begin(), bytes.end());
  std::size_t done = 0;
  auto wanted = ask::nothing;
  while (wanted == ask::nothing) {
    auto cut = protocol::cut_frame(byte_view{in_}.subspan(done));
    if (cut.status == protocol::frame_status::incomplete) break;
    if (cut.status != protocol::frame_status::complete)
      return on_closed(now_ms); // a wrong length: connects anew
    done += cut.consumed;
    wanted = on_record(cut.record, now_ms);
  }
  if (wanted != ask::open) in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(done));
  return wanted;
}

sim_agent::ask sim_agent::on_record(byte_view record, std::int64_t now_ms) {
  auto head = protocol::parse_record_head(record);
  bool readable = head && !head->id && head->cipher == options_.cipher;
  if (readable)
    if (auto opened = opener_.open(head->cipher, head->ciphertext, opening()))
      return on_message(opened->message, now_ms);
  ++counts_.bad_records; // skipped, except as the first answer
  return phase_ == phase::starting ? fail_attempt(now_ms) : ask::nothing;
}

sim_agent::ask sim_agent::on_first_message(const protocol::server_message& message, std::int64_t now_ms) {
  if (message.kind != protocol::server_message_kind::ack) {
    if (message.kind == protocol::server_message_kind::err) {
      ++counts_.refusals;
      last_refusal_ = message.body;
    }
    return fail_attempt(now_ms);
  }
  phase_ = phase::connected;
  attempts_ = 0;
  ++counts_.connects;
  last_control_ms_ = now_ms;
  if (options_.announces_start && !announced_)
    seal("1:wazuh-agent:ossec: Agent started: '" + who_.name + "->" + who_.address + "'.", output);
  announced_ = true;
  if (next_keepalive_ms_ == 0) next_keepalive_ms_ = now_ms + options_.timing.notify_ms;
  if (options_.timing.notify_ms > 0 && now_ms >= next_keepalive_ms_) send_keepalive(now_ms);
  return ask::nothing;
}

sim_agent::ask sim_agent::on_message(std::string_view message, std::int64_t now_ms) {
  auto parsed = protocol::parse_server_message(message);
  if (parsed.kind == protocol::server_message_kind::ack) ++counts_.acks;
  if (phase_ == phase::starting) return on_first_message(parsed, now_ms);
  if (phase_ != phase::connected) return ask::nothing;
  if (protocol::is_control(message) || in_file_) last_control_ms_ = now_ms;
  switch (parsed.kind) {
  case protocol::server_message_kind::force_reconnect:
    reconnecting_ = true;
    return ask::finish; // what is queued goes out first
  case protocol::server_message_kind::request:
    seal(protocol::format_request_answer(parsed.body.substr(0, parsed.body.find(' ')),
                                         "err this is a simulated agent"),
         output);
    break;
  default:
    take_file(message, parsed);
  }
  return ask::nothing;
}

void sim_agent::take_file(std::string_view message, const protocol::server_message& parsed) {
  constexpr std::size_t most = 64U << 20U;
  switch (parsed.kind) {
  case protocol::server_message_kind::file_begin:
    in_file_ = true;
    file_.clear();
    announced_sum_ = parsed.body.substr(0, parsed.body.find(' '));
    break;
  case protocol::server_message_kind::file_end:
    if (in_file_) merged_sum_ = md5_of(file_) == announced_sum_ ? announced_sum_ : "x";
    in_file_ = false;
    break;
  case protocol::server_message_kind::other:
    if (in_file_ && !protocol::is_control(message) && file_.size() < most) file_.append(message);
    break;
  default:
    break;
  }
}

sim_agent::ask sim_agent::on_timer(std::int64_t now_ms) {
  if (now_ms < next_timer_ms()) return ask::nothing;
  switch (phase_) {
  case phase::waiting:
    return open(now_ms);
  case phase::connecting:
  case phase::starting:
    return fail_attempt(now_ms);
  case phase::connected:
    if (now_ms - last_control_ms_ > options_.timing.time_reconnect_ms) {
      ++counts_.lost_connections;
      return open(now_ms);
    }
    if (options_.timing.notify_ms > 0 && now_ms >= next_keepalive_ms_) send_keepalive(now_ms);
    return ask::nothing;
  case phase::offline:
    break;
  }
  return ask::nothing;
}

std::int64_t sim_agent::next_timer_ms() const noexcept {
  switch (phase_) {
  case phase::waiting:
  case phase::connecting:
  case phase::starting:
    return deadline_ms_;
  case phase::connected: {
    auto silent = last_control_ms_ + options_.timing.time_reconnect_ms + 1;
    return options_.timing.notify_ms > 0 ? std::min(silent, next_keepalive_ms_) : silent;
  }
  case phase::offline:
    break;
  }
  return never;
}

void sim_agent::send_keepalive(std::int64_t now_ms) {
  protocol::keepalive text;
  text.uname = "Linux |" + who_.name + " |6.1.0-sim |#1 SMP |x86_64 [Debian GNU/Linux|debian: 12 (bookworm)]";
  text.version = "Wazuh " + options_.version;
  text.merged_sum = merged_sum_;
  text.agent_ip = "127.0.0.1";
  seal(protocol::format_keepalive(text), output);
  ++counts_.keepalives;
  next_keepalive_ms_ = std::max(next_keepalive_ms_ + options_.timing.notify_ms, now_ms + 1);
}

void sim_agent::seal(std::string_view message, byte_buffer& to) {
  counters_ = protocol::next_agent_pair(counters_);
  if (&to == &output) ++records_;
  protocol::seal_options options;
  options.cipher = options_.cipher;
  options.counters = counters_;
  options.salt = static_cast<std::uint16_t>(counters_.local * 31 + counters_.global);
  if (options_.sends_id) options.id = who_.id;
  static_cast<void>(sealer_.seal_framed(message, options, to, sealing())); // too long a line is not sent
}

void sim_agent::send_message(std::string_view message) {
  seal(message, output);
  ++counts_.events;
}

void sim_agent::send_sealed(byte_view frame) {
  output.insert(output.end(), frame.begin(), frame.end());
  ++records_;
  ++counts_.events;
}

void sim_agent::seal_beforehand(std::string_view message, byte_buffer& to) { seal(message, to); }

void sim_agent::trim_output() {
  if (output_sent == output.size()) {
    output.clear();
    output_sent = 0;
  } else if (output_sent > 262'144) {
    output.erase(output.begin(), output.begin() + static_cast<std::ptrdiff_t>(output_sent));
    output_sent = 0;
  }
}

} // namespace picket::agentsim
