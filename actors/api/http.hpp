#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "net/address.hpp"

namespace picket::api {

/// A request as handlers see it; nothing of the HTTP library shows.
struct http_request {
  std::string method; ///< upper case
  std::string path;   ///< decoded, without the query
  std::multimap<std::string, std::string> query;
  std::string authorization;
  std::string content_type;
  std::string body;
  std::string remote; ///< address of the client
};

struct http_response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
};

struct http_options {
  net::endpoint where;
  std::string certificate_file; ///< empty: plain HTTP
  std::string key_file;
  unsigned threads = 4;
  std::size_t body_limit_bytes = 10 * 1024 * 1024;
  /// A request was ended unserved: "handshake", "slow", "too_large", "bad_request". On the server's threads.
  std::function<void(std::string_view reason, const std::string& peer)> on_refused = {};
};

/// An HTTP server with threads of its own. Bounds: `threads` requests at a time, as many again waiting, the
/// rest in the kernel's backlog; a request has the limits of `http_socket_limits`, in time and size, so that
/// neither idle clients nor slow ones hold a thread for long, least of all while others wait.
class http_server {
public:
  /// Decides from the head alone, before the body is read; a response ends the request.
  using gate = std::function<bool(const http_request&, http_response&)>;
  using handler = std::function<http_response(const http_request&)>;

  /// Binds and serves. Errors: address_in_use, certificate_invalid, io.
  static result<std::unique_ptr<http_server>> start(http_options options, gate refuse, handler handle);
  ~http_server();

  /// Accepts no more, finishes what runs, joins.
  void stop();
  /// The address really bound.
  const net::endpoint& where() const noexcept;
  /// Connections that are served or wait for a thread.
  std::size_t open_requests() const noexcept;

private:
  struct impl;
  explicit http_server(std::unique_ptr<impl> state);
  std::unique_ptr<impl> impl_;
};

} // namespace picket::api
