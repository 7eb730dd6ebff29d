#include "engine/xml/reader.hpp"

#include <algorithm>
#include <cstddef>

namespace picket::engine::xml {

namespace {

constexpr std::size_t run_bytes_max = 20'479; // decoders.md 1.2, limits
constexpr std::size_t attributes_max = 49;
constexpr std::size_t depth_max = 1024;

bool is_white_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// Line and column of byte offsets.
class line_index {
public:
  explicit line_index(std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i)
      if (bytes[i] == '\n') starts_.push_back(i + 1);
  }

  place at(std::string_view file, std::size_t offset) const {
    auto next = std::upper_bound(starts_.begin(), starts_.end(), offset);
    auto line = static_cast<std::size_t>(next - starts_.begin());
    return {std::string(file), static_cast<int>(line), static_cast<int>(offset - starts_[line - 1] + 1)};
  }

private:
  std::vector<std::size_t> starts_{0};
};

/// The byte machine of decoders.md 1.2. A level of `open_` is an element whose end tag is still to come.
class reader {
public:
  reader(std::string_view file, std::string_view bytes)
      : file_(file)
      , bytes_(bytes)
      , lines_(bytes) {}

  tl::expected<std::vector<element>, diagnostic> run() {
    while (at_ < bytes_.size()) {
      if (!step()) return tl::unexpected(std::move(error_));
    }
    if (!open_.empty()) {
      fail(open_.back().offset, "xml-syntax", "element '" + open_.back().self.name + "' is not closed",
           "add '</" + open_.back().self.name + ">'");
      return tl::unexpected(std::move(error_));
    }
    return std::move(roots_);
  }

private:
  struct level {
    element self;
    std::size_t offset = 0; ///< of its `<`
    bool escaped = false;
  };

  bool fail(std::size_t offset, const char* code, std::string text, std::string hint) {
    error_ =
        diagnostic{severity::error, lines_.at(file_, offset), -1, code, std::move(text), std::move(hint)};
    return false;
  }
  bool too_long(std::size_t offset, const std::string& what) {
    return fail(offset, "xml-limit", what + " is longer than " + std::to_string(run_bytes_max) + " bytes",
                "shorten it");
  }
  bool end_of_file(std::size_t offset, const std::string& what) {
    return fail(offset, "xml-syntax", "the file ends inside " + what, "close it");
  }

  bool at_comment() const { return bytes_[at_] == '<' && at_ + 1 < bytes_.size() && bytes_[at_ + 1] == '!'; }

  bool skip_comment() {
    auto start = at_;
    auto exclamation = bytes_.find("!>", at_ + 2);
    auto dashes = bytes_.find("-->", at_ + 2);
    if (exclamation == std::string_view::npos && dashes == std::string_view::npos)
      return fail(start, "xml-syntax", "comment is not closed", "end it with '-->'");
    at_ = exclamation < dashes ? exclamation + 2 : dashes + 3;
    return true;
  }

  /// One step in the states *outside* and *text*; the other states are read as a whole by the functions it
  /// calls.
  bool step() {
    if (at_comment()) return skip_comment();
    bool& escaped = open_.empty() ? escaped_outside_ : open_.back().escaped;
    char c = bytes_[at_];
    if (c == '<' && !escaped) {
      if (at_ + 1 < bytes_.size() && bytes_[at_ + 1] == '/') return read_end_tag();
      return read_start_tag();
    }
    escaped = c == '\\' && !escaped;
    ++at_;
    if (open_.empty()) return true;
    std::string& text = open_.back().self.text;
    if (text.size() == run_bytes_max) return too_long(at_, "text");
    text.push_back(c);
    return true;
  }

  /// Reads a name up to `>` or, in start tags, white space; comments inside it yield nothing.
  bool read_name(std::string& name, bool stops_at_space) {
    auto start = at_;
    while (at_ < bytes_.size()) {
      if (at_comment()) {
        if (!skip_comment()) return false;
        continue;
      }
      char c = bytes_[at_];
      if (c == '>' || (stops_at_space && is_white_space(c))) return true;
      if (name.size() == run_bytes_max) return too_long(start, "element name");
      name.push_back(c);
      ++at_;
    }
    return end_of_file(start, "a tag");
  }

  bool read_start_tag() {
    level fresh;
    fresh.offset = at_;
    fresh.self.place = lines_.at(file_, at_);
    ++at_;
    if (!read_name(fresh.self.name, true)) return false;
    if (open_.size() == depth_max)
      return fail(fresh.offset, "xml-limit",
                  "more than " + std::to_string(depth_max) + " elements inside each other",
                  "nest less deeply");
    bool more = is_white_space(bytes_[at_]);
    ++at_;
    if (!fresh.self.name.empty() && fresh.self.name.back() == '/') {
      fresh.self.name.pop_back();
      close(std::move(fresh.self));
      return true;
    }
    bool empty = false;
    if (more && !read_attributes(fresh, empty)) return false;
    if (empty)
      close(std::move(fresh.self));
    else
      open_.push_back(std::move(fresh));
    return true;
  }

  /// From behind the white space after the element name to behind the `>`, or to behind the `/` of an empty
  /// element: the `>` that follows that belongs to the parent's text.
  bool read_attributes(level& of, bool& empty) {
    while (true) {
      while (at_ < bytes_.size() && is_white_space(bytes_[at_]))
        ++at_;
      if (at_ == bytes_.size()) return end_of_file(of.offset, "a tag");
      if (bytes_[at_] == '>' || bytes_[at_] == '/') {
        empty = bytes_[at_] == '/';
        ++at_;
        return true;
      }
      if (!read_attribute(of.self)) return false;
      if (at_ == bytes_.size()) return end_of_file(of.offset, "a tag");
      char behind = bytes_[at_];
      if (!is_white_space(behind) && behind != '>' && behind != '/')
        return fail(at_, "xml-syntax", "text directly behind an attribute value",
                    "put a blank between attributes");
    }
  }

  bool read_attribute(element& of) {
    auto start = at_;
    attribute fresh;
    fresh.place = lines_.at(file_, at_);
    while (at_ < bytes_.size() && bytes_[at_] != '=') {
      char c = bytes_[at_];
      if (is_white_space(c) || c == '>' || c == '/')
        return fail(start, "xml-syntax", "attribute '" + fresh.name + "' has no value",
                    "write name=\"value\", without a blank in front of '='");
      if (fresh.name.size() == run_bytes_max) return too_long(start, "attribute name");
      fresh.name.push_back(c);
      ++at_;
    }
    if (at_ == bytes_.size()) return end_of_file(start, "an attribute");
    ++at_;
    while (at_ < bytes_.size() && is_white_space(bytes_[at_]))
      ++at_;
    if (at_ == bytes_.size()) return end_of_file(start, "an attribute");
    if (!read_value(fresh)) return false;
    auto same = [&](const attribute& other) { return other.name == fresh.name; };
    if (std::any_of(of.attributes.begin(), of.attributes.end(), same))
      return fail(start, "xml-syntax", "attribute '" + fresh.name + "' stands here twice", "remove one");
    if (of.attributes.size() == attributes_max)
      return fail(start, "xml-limit", "more than " + std::to_string(attributes_max) + " attributes",
                  "use fewer");
    of.attributes.push_back(std::move(fresh));
    return true;
  }

  bool read_value(attribute& of) {
    auto start = at_;
    char quote = bytes_[at_];
    if (quote != '"' && quote != '\'')
      return fail(at_, "xml-syntax", "the value of attribute '" + of.name + "' has no quotes",
                  "write " + of.name + "=\"value\"");
    for (++at_; at_ < bytes_.size(); ++at_) {
      char c = bytes_[at_];
      if (c == quote) {
        ++at_;
        return true;
      }
      if (c == '>')
        return fail(start, "xml-syntax",
                    "the value of attribute '" + of.name + "' is not closed in front of a '>'",
                    "add the closing quote; a value cannot hold '>'");
      if (of.value.size() == run_bytes_max) return too_long(start, "attribute value");
      of.value.push_back(c);
    }
    return end_of_file(start, "an attribute value");
  }

  bool read_end_tag() {
    auto start = at_;
    at_ += 2;
    std::string name;
    if (open_.empty()) return fail(start, "xml-syntax", "end tag without an element to close", "remove it");
    if (!read_name(name, false)) return false;
    ++at_;
    auto& last = open_.back();
    if (name != last.self.name)
      return fail(start, "xml-syntax", "end tag '" + name + "' does not close '" + last.self.name + "'",
                  "write '</" + last.self.name + ">' (case counts, no blanks)");
    element done = std::move(last.self);
    open_.pop_back();
    close(std::move(done));
    return true;
  }

  /// The element is complete. What its parent had collected as text is thrown away.
  void close(element done) {
    if (open_.empty()) {
      roots_.push_back(std::move(done));
      return;
    }
    open_.back().self.text.clear();
    open_.back().self.children.push_back(std::move(done));
  }

  std::string_view file_;
  std::string_view bytes_;
  line_index lines_;
  std::size_t at_ = 0;
  bool escaped_outside_ = false;
  std::vector<level> open_;
  std::vector<element> roots_;
  diagnostic error_;
};

} // namespace

tl::expected<std::vector<element>, diagnostic> read(std::string_view file, std::string_view bytes) {
  return reader(file, bytes).run();
}

} // namespace picket::engine::xml
