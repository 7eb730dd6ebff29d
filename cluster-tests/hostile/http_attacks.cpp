// Attacks on the health and the admin endpoint.
#include <string>
#include <vector>

#include "base/time.hpp"
#include "cluster-tests/hostile/attacker.hpp"

namespace picket::hostile {

namespace {

using agentsim::file_descriptor;

void http_garbage(attacker& by) {
  const std::string requests[] = {
      "\r\n\r\n\r\n",
      std::string(200, '\0'),
      "GET " + std::string(70'000, 'a') + " HTTP/1.1\r\n\r\n",
      "GET /" + std::string(8'000, 'a') + " HTTP/1.1\r\n\r\n",
      "GET /metrics HTTP/9.9\r\nHost: x\r\n\r\n",
      "GET /metrics HTTP/1.1\r\n" + std::string(300, 'h') + "\r\n\r\n",
      "POST /metrics HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\nx",
      "POST /metrics HTTP/1.1\r\nContent-Length: -1\r\n\r\nx",
      "POST /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
      "GET /../../../../etc/passwd HTTP/1.1\r\n\r\n",
      "GET /%00%ff%zz HTTP/1.1\r\n\r\n",
      "DELETE /metrics HTTP/1.1\r\nRange: bytes=0-,1-,2-,3-\r\n\r\n",
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  };
  for (std::size_t i = 0; by.pace(); ++i) {
    auto fd = by.connect(i % 3 == 2 ? by.at.api : by.at.health);
    if (!fd) continue;
    by.send(fd, requests[i % std::size(requests)]);
    by.wait_closed(fd, 50);
    attacker::reset(fd);
  }
}

/// Heads of requests, a byte at a time, on both endpoints.
void http_slow(attacker& by) {
  struct slow {
    file_descriptor fd;
    std::size_t next = 0;
  };
  const std::string head = "GET /health/live HTTP/1.1\r\nX: " + std::string(4'000, 'x');
  std::vector<slow> all(by.sockets);
  for (std::size_t i = 0; by.pace(); i = (i + 1) % all.size()) {
    auto& one = all[i];
    if (one.fd && by.closed(one.fd)) one.fd.reset();
    if (!one.fd) one = {by.connect(i % 2 == 0 ? by.at.health : by.at.api), 0};
    if (one.fd && by.send(one.fd, std::string_view{head}.substr(one.next % head.size(), 1))) ++one.next;
  }
}

/// Heads and chunked bodies without an end, as fast as they are taken.
void http_endless(attacker& by) {
  std::string lines;
  while (lines.size() < 60'000)
    lines += "X-" + std::to_string(lines.size()) + ": " + std::string(1'000, 'e') + "\r\n";
  std::string chunks;
  while (chunks.size() < 60'000)
    chunks += "1000\r\n" + std::string(0x1000, 'c') + "\r\n";
  for (std::size_t i = 0; by.pace(); ++i) {
    auto fd = by.connect(i % 3 == 2 ? by.at.api : by.at.health);
    if (!fd) continue;
    const bool head = i % 2 == 0;
    by.send(fd, head ? std::string_view{"GET /metrics HTTP/1.1\r\n"}
                     : "POST /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    const auto until_ms = steady_clock_ms() + 500;
    while (by.going() && steady_clock_ms() < until_ms && !by.closed(fd)) {
      if (!by.send(fd, head ? lines : chunks)) by.rest(1);
    }
    attacker::reset(fd);
  }
}

} // namespace

std::span<const attack> http_attacks() {
  static constexpr attack all[] = {
      {"http-garbage", "what is no HTTP, on the health and the admin endpoint", http_garbage, 200, 1},
      {"http-endless", "heads and bodies without an end on both endpoints", http_endless, 50, 1},
      {"http-slow", "requests a byte at a time on both endpoints", http_slow, 500, 50},
  };
  return all;
}

} // namespace picket::hostile
