#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace picket::conformance {

using nlohmann::json;

enum class verdict {
  passed,
  failed,
  not_run ///< the record asks for something that this program cannot show; counted, never as passed
};

struct outcome {
  conformance::verdict verdict = verdict::failed;
  std::string expected; ///< for people; also the reason of `not_run`
  std::string got;
};

inline outcome passed() { return {verdict::passed, {}, {}}; }
inline outcome not_run(std::string reason) { return {verdict::not_run, std::move(reason), {}}; }
/// Compares two JSON values, without regard to the order of members.
outcome compare(const json& expected, const json& got);

/// What a runner may look at besides its record.
struct context {
  std::filesystem::path data; ///< the reference data: `micro/`, `expected/`, ...
};

/// Runs the records of one file of reference answers. One object per file; records come in the file's order,
/// so a runner of a file with one session for all lines keeps it as a member.
class runner {
public:
  virtual ~runner() = default;

  /// Short name, as in the table of floors, for example "patterns".
  virtual std::string_view name() const = 0;
  /// Below the data directory, for example "micro/patterns.jsonl".
  virtual std::filesystem::path file() const = 0;

  /// Runs one record. Strings are bytes already (`encoding`), members of `ours` stand in place of the
  /// reference's.
  virtual outcome run(const json& record, const context& where) = 0;

  /// Changes what the record expects, so that `run` must fail: for the self-test.
  virtual void spoil(json& record) const = 0;
};

using runners = std::vector<std::unique_ptr<runner>>;

/// All runners, in the order in which they are run. One line per file in runners.cpp.
runners make_runners();

/// Undoes `encoding: latin1` (every string but those of `ours` becomes bytes) and puts the members of `ours`
/// in place.
json prepare(json record);
/// A JSON text of any bytes: bytes that are no UTF-8 are shown as escapes.
std::string show(const json& value);

} // namespace picket::conformance
