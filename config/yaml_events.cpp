#include "config/yaml_events.hpp"

#include <set>
#include <sstream>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

namespace picket::config {

namespace {

/// Follows the parser's events with a stack of keys; no tree is built, so that aliases cannot blow one up.
class entry_collector final : public YAML::EventHandler {
public:
  entry_collector(const std::string& file_name, std::vector<problem>& problems)
      : file_name_(file_name)
      , problems_(problems) {}

  std::vector<yaml_entry> entries;

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check_anchor(mark, anchor);
    scalar(mark, "", true);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    complain(mark, "aliases (*name) are not supported; write the value itself");
    scalar(mark, "", true);
  }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                const std::string& value) override {
    check_anchor(mark, anchor);
    scalar(mark, value, false);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check_anchor(mark, anchor);
    in_list_ = skipped_ == 0 && open_value(mark, [](yaml_entry& entry) { entry.is_list = true; });
    if (skipped_ == 0 && !in_list_) complain(mark, "a list is not expected here; write 'key: value'");
    if (skipped_ == 1 && !entries.empty()) entries.back().is_deep = true;
    ++skipped_;
  }
  void OnSequenceEnd() override { --skipped_; }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    check_anchor(mark, anchor);
    if (skipped_ > 0) {
      if (!entries.empty()) entries.back().is_deep = true;
      ++skipped_;
      return;
    }
    if (levels_.empty() && !has_root_) {
      has_root_ = true;
      levels_.emplace_back();
      return;
    }
    if (!open_value(mark, [](yaml_entry& entry) { entry.is_map = true; })) {
      complain(mark, "a key must be a plain word");
      ++skipped_;
      return;
    }
    level inner;
    inner.prefix = entries.back().key + ".";
    levels_.push_back(inner);
  }
  void OnMapEnd() override {
    if (skipped_ > 0)
      --skipped_;
    else if (!levels_.empty())
      levels_.pop_back();
  }

private:
  struct level {
    std::string prefix;
    std::string key;
    bool has_key = false;
    YAML::Mark at;
  };

  void complain(const YAML::Mark& mark, std::string text) {
    constexpr std::size_t most = 50;
    if (problems_.size() >= most) return;
    problem one;
    one.file = file_name_;
    one.line = mark.line < 0 ? 0 : static_cast<std::size_t>(mark.line) + 1;
    one.column = mark.column < 0 ? 0 : static_cast<std::size_t>(mark.column) + 1;
    one.text = std::move(text);
    problems_.push_back(std::move(one));
  }
  void check_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) complain(mark, "anchors (&name) are not supported; write the value where it is needed");
  }

  /// Makes the entry whose value begins here; false where no value is expected.
  template <class Fill>
  bool open_value(const YAML::Mark&, Fill fill) {
    if (levels_.empty() || !levels_.back().has_key) return false;
    auto& top = levels_.back();
    yaml_entry entry;
    entry.key = top.prefix + top.key;
    entry.line = static_cast<std::size_t>(top.at.line) + 1;
    entry.column = static_cast<std::size_t>(top.at.column) + 1;
    top.has_key = false;
    if (!seen_.insert(entry.key).second) complain(top.at, "'" + entry.key.substr(0, 80) + "' stands twice");
    fill(entry);
    entries.push_back(std::move(entry));
    return true;
  }

  void scalar(const YAML::Mark& mark, const std::string& value, bool is_null) {
    if (skipped_ > 0) return add_to_list(value);
    if (levels_.empty()) {
      if (!is_null) complain(mark, "expected 'section:' and indented 'key: value' lines");
      return;
    }
    auto& top = levels_.back();
    if (!top.has_key) {
      top.key = value;
      top.has_key = true;
      top.at = mark;
      return;
    }
    open_value(mark, [&](yaml_entry& entry) {
      entry.value = value;
      entry.is_null = is_null;
    });
  }

  void add_to_list(const std::string& value) {
    constexpr std::size_t most_bytes = 4'096;
    if (!in_list_ || skipped_ > 1) return;
    auto& text = entries.back().value;
    if (text.size() + value.size() > most_bytes) return void(entries.back().is_deep = true);
    text += (text.empty() ? "" : ", ") + value;
  }

  const std::string& file_name_;
  std::vector<problem>& problems_;
  std::vector<level> levels_;
  std::set<std::string> seen_;
  bool has_root_ = false;
  int skipped_ = 0;      ///< depth inside of something that is not read
  bool in_list_ = false; ///< … which is, or is in, the list of the last entry
};

bool indents_with_tab(std::string_view yaml) {
  bool in_indent = true;
  for (char c : yaml) {
    if (in_indent && c == '\t') return true;
    in_indent = c == '\n' || (in_indent && c == ' ');
  }
  return false;
}

problem problem_at(const std::string& file_name, const YAML::Mark& mark, std::string text) {
  problem one;
  one.file = file_name;
  if (!mark.is_null()) {
    one.line = static_cast<std::size_t>(mark.line) + 1;
    one.column = static_cast<std::size_t>(mark.column) + 1;
  }
  one.text = std::move(text);
  return one;
}

} // namespace

std::vector<yaml_entry> read_yaml(std::string_view yaml, const std::string& file_name,
                                  std::vector<problem>& problems) noexcept {
  entry_collector collector{file_name, problems};
  try {
    std::istringstream stream{std::string{yaml}};
    YAML::Parser parser{stream};
    parser.HandleNextDocument(collector);
  } catch (const YAML::Exception& err) {
    std::string text = "no valid YAML: " + err.msg;
    if (indents_with_tab(yaml)) text += "; lines must be indented with blanks, not with tabs";
    problems.push_back(problem_at(file_name, err.mark, text));
    collector.entries.clear();          // what was read so far may be misread
  } catch (const std::exception& err) { // the library also lets standard exceptions through
    problems.push_back(problem_at(file_name, YAML::Mark::null_mark(), err.what()));
  }
  return std::move(collector.entries);
}

} // namespace picket::config
