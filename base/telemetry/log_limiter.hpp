#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace picket {

/// How many lines of the log may come: of one kind of event, and of one kind from one source. Buckets of
/// tokens: `burst` at once, then `per_second`.
struct log_limits {
  double event_burst = 100;
  double event_per_second = 20;
  double source_burst = 10;
  double source_per_second = 0.2;
  std::size_t sources_max = 4'096;        ///< known at a time; further ones share the bucket of their event
  std::int64_t tell_interval_ms = 10'000; ///< between two accounts of what was held back
};

/// Decides which lines of the log are written. Pure: the time comes in, milliseconds of a clock that never
/// goes back. One source cannot take the lines of the others of its event, and no flood those of other
/// events; what is held back is counted and told.
///
/// Bound: one entry for each event, `sources_max` sources, one kept line for each event.
class log_limiter {
public:
  explicit log_limiter(std::size_t events, log_limits limits = {});

  /// `source`: an address, an agent, or empty. False: hold the line back.
  bool admit(std::size_t event, std::string_view source, std::int64_t now_ms);
  /// The line that was not admitted is the latest of its event: it is given back by `take_due`, so that what
  /// the event said last is never lost. For errors of the node itself.
  void keep(std::size_t event, std::string line);

  /// What was held back of one event since it was told last.
  struct account {
    std::size_t event = 0;
    std::uint64_t lines = 0;
    std::int64_t since_ms = 0; ///< of the first of them
    std::string last;          ///< the line that was kept; empty if none was
  };
  /// Accounts whose interval is over; each is given once.
  std::vector<account> take_due(std::int64_t now_ms);
  /// The same for all, whenever they began: at the end.
  std::vector<account> take_all();

  std::uint64_t held_back() const noexcept { return held_back_; }
  std::size_t sources() const noexcept { return sources_.size(); }

private:
  struct bucket {
    double tokens = 0;
    std::int64_t filled_ms = 0;
    bool fresh = true;
  };
  struct key {
    std::size_t event;
    std::string source;
    friend bool operator==(const key&, const key&) = default;
  };
  struct key_hash {
    std::size_t operator()(const key& of) const noexcept {
      return std::hash<std::string>{}(of.source) * 31 + of.event;
    }
  };
  static void fill(bucket& which, double burst, double per_second, std::int64_t now_ms);
  bucket* source_bucket(std::size_t event, std::string_view source, std::int64_t now_ms);
  void forget_quiet_sources(std::int64_t now_ms);

  log_limits limits_;
  std::vector<bucket> events_;
  std::vector<account> accounts_; ///< by event; `lines` 0: nothing is held back
  std::unordered_map<key, bucket, key_hash> sources_;
  std::int64_t swept_ms_ = 0;
  std::uint64_t held_back_ = 0;
};

} // namespace picket
