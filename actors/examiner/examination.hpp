#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protocol/examination/frames.hpp"

namespace picket {

struct examination_limits {
  std::int64_t start_ms = 30'000;   ///< until a child has its rule set
  std::int64_t silence_ms = 10'000; ///< for one record; then the child is killed
  std::int64_t total_ms = 90'000;   ///< what is not reached until then stays unexamined
  std::size_t children = 12;        ///< started for one batch at most
};

/// What an examination found.
struct examination_findings {
  std::map<std::uint32_t, std::string> fatal;    ///< records that ended a child, and how
  std::map<std::uint32_t, std::string> messages; ///< of records that were opened and are events
  bool complete = false;                         ///< every record was reached
  std::string problem;                           ///< why not
  std::size_t children = 0;
};

/// Follows what the children say about one batch; believes nothing that cannot be. Pure.
class examination {
public:
  explicit examination(std::size_t records)
      : records_{records} {}

  /// False: that cannot be true; the child is to be ended.
  bool take(const protocol::examination::step& what);
  /// The child has ended, or was ended, without having said that it is through. That may have come from
  /// outside, so the record that it had begun is begun once more; the second time `how` is its finding.
  void child_ended(const std::string& how);
  /// Nothing more is tried.
  void give_up(const std::string& why);

  /// The child has its rule set.
  bool ready() const noexcept { return ready_; }
  /// Nothing more is to be done.
  bool over() const noexcept { return findings_.complete || !findings_.problem.empty(); }
  /// First record for another child.
  std::uint32_t next() const noexcept { return next_; }
  const examination_findings& findings() const noexcept { return findings_; }
  examination_findings& findings() noexcept { return findings_; }

private:
  std::size_t records_;
  std::uint32_t next_ = 0;                   ///< of the records that nobody has begun
  bool begun_ = false;                       ///< the record before `next_` is being run
  std::optional<std::uint32_t> begun_twice_; ///< the last record with which a child ended
  bool ready_ = false;
  examination_findings findings_;
};

/// Runs the records of a request in child processes, blocking, at most `limits.total_ms` and a little.
/// `command`: program and arguments; it gets a socket as standard input and output.
examination_findings examine(protocol::examination::request what, const std::vector<std::string>& command,
                             const examination_limits& limits);

} // namespace picket
