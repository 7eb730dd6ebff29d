#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

/// Reads `archives.json` and says what became of numbered lines.

namespace picket::agentsim {

struct verdict {
  std::uint64_t expected = 0;
  std::uint64_t found = 0;           ///< different numbers
  std::uint64_t lost = 0;            ///< numbers that are not there
  std::uint64_t doubled_number = 0;  ///< lines whose number was there before
  std::uint64_t doubled_id = 0;      ///< events whose id was there before
  std::uint64_t wrong_id = 0;        ///< a line with the id of another line, or a doubled one with another id
  std::uint64_t out_of_order = 0;    ///< lines that stand behind a greater number of their agent
  std::uint64_t unreadable = 0;      ///< lines of the file that are no JSON object
  std::uint64_t other_events = 0;    ///< without a number of this run
  std::vector<std::string> examples; ///< a few words on the first findings

  bool good() const noexcept {
    return lost == 0 && doubled_number == 0 && doubled_id == 0 && out_of_order == 0 && unreadable == 0;
  }
};

std::string to_string(const verdict& found);

/// Takes lines of the file as they come.
class verifier {
public:
  /// @param run only lines of this run count; empty: of any
  explicit verifier(std::string run)
      : run_(std::move(run)) {}

  void take_line(std::string_view json);
  /// @param expected per agent the number of lines; an agent that is not named counts up to its greatest
  /// number
  verdict judge(const std::map<std::string, std::uint64_t, std::less<>>& expected) const;
  /// What is wrong with the lines up to now; nothing is said of what is lost.
  const verdict& so_far() const noexcept { return so_far_; }
  std::uint64_t distinct() const noexcept { return distinct_; }
  bool has(std::string_view agent_id, std::uint64_t number) const;

private:
  struct agent {
    std::vector<bool> seen; ///< by number
    std::uint64_t greatest = 0;
    std::uint64_t distinct = 0;
  };
  void note(std::string text);

  std::string run_;
  std::map<std::string, agent, std::less<>> agents_;
  std::unordered_map<std::string, std::uint64_t> ids_; ///< and the number of the line
  std::uint64_t distinct_ = 0;
  verdict so_far_;
};

/// Follows a file that grows: gives whole lines that were appended since the last call to the verifier.
class file_follower {
public:
  explicit file_follower(std::filesystem::path file)
      : file_(std::move(file)) {}
  result<void> read_on(verifier& to);

private:
  std::filesystem::path file_;
  std::uint64_t offset_ = 0;
  std::string rest_;
};

} // namespace picket::agentsim
