#include "actors/registry/etcd_client.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <httplib.h>

#include "actors/watch/thread_name.hpp"
#include "base/time.hpp"

namespace picket::registry {

namespace {

constexpr int user_timeout_ms = 3'000;
/// Of a stream that has nothing to say. Whether it still lives is told by the probe.
constexpr std::int64_t stream_silence_ms = 3'600'000;
constexpr auto stop_interval = std::chrono::milliseconds(10);

bool nothing_sent(httplib::Error why) {
  switch (why) {
  case httplib::Error::Connection:
  case httplib::Error::ConnectionTimeout:
  case httplib::Error::BindIPAddress:
  case httplib::Error::SSLConnection:
  case httplib::Error::SSLLoadingCerts:
  case httplib::Error::SSLServerVerification:
    return true;
  default:
    return false;
  }
}

httplib::Request post_request(const std::string& path, const std::string& body) {
  httplib::Request request;
  request.method = "POST";
  request.path = path;
  request.body = body;
  request.set_header("Content-Type", "application/json");
  return request;
}

} // namespace

struct etcd_http {
  std::string endpoint;
  std::unique_ptr<httplib::SSLClient> client;

  static std::unique_ptr<etcd_http> make(const etcd_access& access, std::size_t at) {
    auto made = std::make_unique<etcd_http>();
    if (access.endpoints.empty()) return made;
    made->endpoint = access.endpoints[at % access.endpoints.size()];
    auto place = parse_endpoint(made->endpoint);
    if (!place) return made;
    made->client = std::make_unique<httplib::SSLClient>(place->first, place->second, access.certificate_file,
                                                        access.key_file);
    auto& client = *made->client;
    client.set_ca_cert_path(access.ca_file.c_str());
    client.enable_server_certificate_verification(true);
    client.set_keep_alive(true);
    client.set_tcp_nodelay(true);
    client.set_connection_timeout(std::chrono::milliseconds(access.connect_limit_ms));
    client.set_socket_options([](socket_t socket) {
      ::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout_ms, sizeof user_timeout_ms);
    });
    return made;
  }

  /// Sends, and passes the answer's bytes on as they come until `receive` answers false.
  etcd_reply post(const std::string& path, const std::string& body, std::int64_t silence_ms,
                  const std::function<bool(const char*, std::size_t)>& receive) const {
    etcd_reply reply;
    reply.why.where = endpoint;
    if (!client || !client->is_valid()) {
      reply.why = {errc::certificate_invalid,
                   "no client for this endpoint: its address or our certificate",
                   endpoint,
                   {}};
      return reply;
    }
    client->set_read_timeout(std::chrono::milliseconds(silence_ms));
    client->set_write_timeout(std::chrono::milliseconds(silence_ms));
    auto request = post_request(path, body);
    request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
      return receive(data, size);
    };
    httplib::Response response;
    auto failed = httplib::Error::Success;
    if (client->send(request, response, failed)) {
      reply.kind = reply_kind::answered;
      reply.status = response.status;
      return reply;
    }
    reply.kind = nothing_sent(failed) ? reply_kind::not_sent : reply_kind::lost;
    reply.why = {reply.kind == reply_kind::lost ? errc::timeout : errc::registry_unavailable,
                 "etcd gives no answer: " + httplib::to_string(failed),
                 endpoint,
                 {}};
    return reply;
  }
};

result<std::pair<std::string, int>> parse_endpoint(const std::string& text) {
  auto colon = text.rfind(':');
  auto bad = [&] { return fail(errc::address_invalid, "not of the form host:port: '" + text + "'", "etcd"); };
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size() || text.size() - colon > 6)
    return bad();
  int port = 0;
  for (char c : text.substr(colon + 1)) {
    if (c < '0' || c > '9') return bad();
    port = port * 10 + (c - '0');
  }
  auto host = text.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (port == 0 || port > 65'535 || host.empty()) return bad();
  return std::pair{host, port};
}

etcd_connection::etcd_connection(etcd_access access)
    : access_{std::move(access)} {}
etcd_connection::~etcd_connection() = default;

std::string etcd_connection::endpoint() const {
  std::lock_guard<std::mutex> guard{mutex_};
  return access_.endpoints.empty() ? std::string{} : access_.endpoints[at_ % access_.endpoints.size()];
}

void etcd_connection::turn_away() {
  http_.reset();
  ++at_;
}

void etcd_connection::leave_endpoint() {
  std::lock_guard<std::mutex> guard{mutex_};
  turn_away();
}

etcd_reply etcd_connection::post(const std::string& path, const std::string& body, std::int64_t limit_ms) {
  std::lock_guard<std::mutex> guard{mutex_};
  if (!http_) http_ = etcd_http::make(access_, at_);
  auto until_ms = steady_clock_ms() + limit_ms;
  std::string answer;
  bool too_long = false;
  auto reply = http_->post(path, body, limit_ms, [&](const char* data, std::size_t size) {
    too_long = answer.size() + size > access_.answer_limit_bytes;
    if (too_long || steady_clock_ms() > until_ms) return false;
    answer.append(data, size);
    return true;
  });
  reply.body = std::move(answer);
  if (too_long) {
    reply.too_long = true;
    reply.why = {errc::limit_reached,
                 "etcd's answer is larger than " + std::to_string(access_.answer_limit_bytes),
                 http_->endpoint,
                 {}};
    http_.reset(); // what is left of it would be read as the next answer
    return reply;
  }
  // A member without a leader answers as well: another one may have it.
  if (reply.kind != reply_kind::answered || reply.status >= 500 || reply.status == 404) turn_away();
  return reply;
}

etcd_line_stream::etcd_line_stream(const etcd_access& access, std::size_t endpoint, std::string path,
                                   std::string body)
    : line_limit_{access.line_limit_bytes}
    , http_{etcd_http::make(access, endpoint)}
    , thread_{[this, path = std::move(path), body = std::move(body)] { run(path, body); }} {}

etcd_line_stream::~etcd_line_stream() {
  {
    std::unique_lock<std::mutex> lock{mutex_};
    stopping_ = true;
    changed_.notify_all();
    // Again until it is seen: the socket may not have been there yet.
    while (!ended_) {
      if (http_->client) http_->client->stop();
      changed_.wait_for(lock, stop_interval);
    }
  }
  thread_.join();
}

void etcd_line_stream::run(const std::string& path, const std::string& body) {
  name_thread("etcd-watch");
  auto reply = http_->post(path, body, stream_silence_ms,
                           [this](const char* data, std::size_t size) { return receive(data, size); });
  std::lock_guard<std::mutex> guard{mutex_};
  reply.body = partial_;
  how_ = std::move(reply);
  ended_ = true;
  changed_.notify_all();
}

bool etcd_line_stream::receive(const char* data, std::size_t size) {
  std::unique_lock<std::mutex> lock{mutex_};
  changed_.wait(lock, [this] { return stopping_ || bytes_ < most_bytes; });
  if (stopping_ || partial_.size() + size > line_limit_) return false;
  std::string_view rest{data, size};
  for (auto end = rest.find('\n'); end != rest.npos; end = rest.find('\n')) {
    partial_ += rest.substr(0, end);
    bytes_ += partial_.size();
    lines_.push_back(std::exchange(partial_, {}));
    rest.remove_prefix(end + 1);
  }
  partial_ += rest;
  changed_.notify_all();
  return true;
}

etcd_line_stream::taken etcd_line_stream::next(std::int64_t limit_ms) {
  taken out;
  std::unique_lock<std::mutex> lock{mutex_};
  changed_.wait_for(lock, std::chrono::milliseconds(limit_ms), [this] { return ended_ || !lines_.empty(); });
  while (!lines_.empty()) {
    out.lines.push_back(std::move(lines_.front()));
    lines_.pop_front();
  }
  bytes_ = 0;
  out.ended = ended_;
  if (ended_) out.how = how_;
  changed_.notify_all();
  return out;
}

} // namespace picket::registry
