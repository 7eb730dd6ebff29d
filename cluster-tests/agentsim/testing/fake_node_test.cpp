#include "cluster-tests/agentsim/testing/fake_node.hpp"

#include "net/tls.hpp"
#include "protocol/agent/control.hpp"
#include "protocol/agent/event_message.hpp"
#include "protocol/enrollment/answers.hpp"

#include <cerrno>
#include <csignal>
#include <fstream>

#include <arpa/inet.h>
#include <nlohmann/json.hpp>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

namespace picket::agentsim {

namespace {

file_descriptor listen_somewhere(std::uint16_t& port) {
  file_descriptor fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  ::listen(fd.get(), 1'024);
  socklen_t size = sizeof address;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return fd;
}

} // namespace

struct fake_node::client {
  file_descriptor fd;
  byte_buffer in;
  std::string id;
  std::unique_ptr<protocol::record_opener> opener;
  std::unique_ptr<protocol::record_sealer> sealer;
  protocol::record_cipher cipher = protocol::record_cipher::aes;
  protocol::counter_pair counters;
  unsigned events = 0;
};

fake_node::fake_node()
    : agent_listener_(listen_somewhere(agent_port_))
    , enroll_listener_(listen_somewhere(enroll_port_)) {
  std::signal(SIGPIPE, SIG_IGN);
  auto certificate = (scratch_.path() / "node.crt").string();
  auto key = (scratch_.path() / "node.key").string();
  static_cast<void>(net::ensure_self_signed(certificate, key, "fake-node", 2));
  tls_ = SSL_CTX_new(TLS_server_method());
  SSL_CTX_use_certificate_chain_file(tls_, certificate.c_str());
  SSL_CTX_use_PrivateKey_file(tls_, key.c_str(), SSL_FILETYPE_PEM);
  std::ofstream{archives()};
  agent_thread_ = std::thread{[this] { serve_agents(); }};
  enroll_thread_ = std::thread{[this] { serve_enrollment(); }};
}

fake_node::~fake_node() {
  stop_ = true;
  agent_thread_.join();
  enroll_thread_.join();
  SSL_CTX_free(tls_);
}

std::vector<std::string> fake_node::events() const {
  std::lock_guard<std::mutex> guard{lock_};
  return events_;
}

std::vector<std::string> fake_node::controls() const {
  std::lock_guard<std::mutex> guard{lock_};
  return controls_;
}

std::vector<std::string> fake_node::enrollments() const {
  std::lock_guard<std::mutex> guard{lock_};
  return enrollments_;
}

void fake_node::serve_enrollment() {
  while (!stop_) {
    pollfd ready{enroll_listener_.get(), POLLIN, 0};
    if (poll(&ready, 1, 20) <= 0) continue;
    enroll(file_descriptor{::accept4(enroll_listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)});
  }
}

void fake_node::enroll(file_descriptor fd) {
  SSL* ssl = SSL_new(tls_);
  SSL_set_fd(ssl, fd.get());
  char buffer[4'096];
  if (SSL_accept(ssl) == 1) {
    int n = SSL_read(ssl, buffer, sizeof buffer);
    std::string line{buffer, static_cast<std::size_t>(std::max(n, 0))};
    if (!line.empty()) line.pop_back();
    std::lock_guard<std::mutex> guard{lock_};
    enrollments_.push_back(line);
    auto request = protocol::parse_enrollment_request(line);
    std::string answer;
    if (!refuse_enrollment.empty() || !request) {
      answer = protocol::format_enrollment_refusal(refuse_enrollment);
    } else {
      auto number = std::to_string(agents_.size() + 1);
      protocol::enrollment_answer given;
      given.id = std::string(3 - std::min<std::size_t>(number.size(), 3), '0') + number;
      given.name = request->name;
      given.address = "any";
      given.key = "key-of-" + given.id;
      agents_[given.id] = agent{given.name, given.key};
      answer = protocol::format_enrollment_answer(given);
    }
    SSL_write(ssl, answer.data(), static_cast<int>(answer.size()));
    SSL_shutdown(ssl);
  }
  SSL_free(ssl);
}

void fake_node::serve_agents() {
  std::vector<std::unique_ptr<client>> clients;
  while (!stop_) {
    std::vector<pollfd> ready{{agent_listener_.get(), POLLIN, 0}};
    for (const auto& one : clients)
      ready.push_back({one->fd.get(), POLLIN, 0});
    if (poll(ready.data(), ready.size(), 20) <= 0) continue;
    for (std::size_t i = clients.size(); i-- > 0;) {
      if (ready[i + 1].revents == 0) continue;
      auto& one = *clients[i];
      std::byte buffer[65'536];
      auto n = ::recv(one.fd.get(), buffer, sizeof buffer, 0);
      bool good = n > 0;
      if (good) one.in.insert(one.in.end(), buffer, buffer + n);
      for (std::size_t used = 0; good;) {
        auto cut = protocol::cut_frame(byte_view{one.in}.subspan(used));
        if (cut.status == protocol::frame_status::complete) {
          used += cut.consumed;
          good = take(one, cut.record);
          continue;
        }
        good = cut.status == protocol::frame_status::incomplete;
        one.in.erase(one.in.begin(), one.in.begin() + static_cast<std::ptrdiff_t>(used));
        break;
      }
      if (!good) clients.erase(clients.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (ready[0].revents != 0) {
      auto fresh = std::make_unique<client>();
      fresh->fd = file_descriptor{::accept4(agent_listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
      clients.push_back(std::move(fresh));
    }
  }
}

bool fake_node::take(client& from, byte_view record) {
  auto head = protocol::parse_record_head(record);
  if (!head || !head->id) return false;
  if (!from.opener) {
    std::lock_guard<std::mutex> guard{lock_};
    auto known = agents_.find(std::string{*head->id});
    if (known == agents_.end()) return false;
    from.id = known->first;
    auto key = protocol::derive_record_key(from.id, known->second.name, known->second.key);
    from.opener = std::make_unique<protocol::record_opener>(key);
    from.sealer = std::make_unique<protocol::record_sealer>(key);
  }
  from.cipher = head->cipher;
  protocol::open_scratch scratch;
  auto opened = from.opener->open(head->cipher, head->ciphertext, scratch);
  if (!opened) return false;
  std::string message{opened->message};
  if (!protocol::is_control(message)) {
    take_event(from, message);
    bool interrupt =
        close_after_events > 0 && from.events == close_after_events && interrupted_.insert(from.id).second;
    bool move = force_reconnect_after > 0 && from.events == force_reconnect_after
                && interrupted_.insert(from.id).second;
    if (move) reply(from, protocol::force_reconnect_message);
    return !interrupt;
  }
  {
    std::lock_guard<std::mutex> guard{lock_};
    controls_.push_back(from.id + " " + message);
  }
  auto kind = protocol::classify_control(message).kind;
  if (kind == protocol::control_kind::startup && refuse_startups)
    reply(from, protocol::format_err(protocol::key_in_use_text));
  else if (kind == protocol::control_kind::startup || kind == protocol::control_kind::keepalive)
    reply(from, protocol::ack_message);
  return true;
}

void fake_node::take_event(client& from, std::string_view message) {
  auto event = protocol::parse_event_message(message);
  if (!event) return;
  ++from.events;
  std::lock_guard<std::mutex> guard{lock_};
  ++event_count_;
  events_.push_back(from.id + " " + std::string{message});
  if (lose_every > 0 && event_count_ % lose_every == 0) return;
  archive(from.id, event->text);
  if (double_every > 0 && event_count_ % double_every == 0) archive(from.id, event->text);
}

void fake_node::archive(const std::string& agent_id, std::string_view text) {
  nlohmann::json json;
  json["id"] = "1700000000." + std::to_string(next_id_++);
  json["agent"]["id"] = agent_id;
  json["full_log"] = text;
  std::ofstream{archives(), std::ios::app} << json.dump() << "\n";
}

void fake_node::reply(client& to, std::string_view message) {
  to.counters = protocol::next_agent_pair(to.counters);
  protocol::seal_options options;
  options.cipher = to.cipher;
  options.counters = to.counters;
  protocol::seal_scratch scratch{1};
  byte_buffer frame;
  static_cast<void>(to.sealer->seal_framed(message, options, frame, scratch));
  static_cast<void>(!::send(to.fd.get(), frame.data(), frame.size(), MSG_NOSIGNAL));
}

} // namespace picket::agentsim
