#include "engine/text/fold.hpp"
#include "engine/xml/reader.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace picket::engine::xml {

namespace {

constexpr std::size_t name_bytes_max = 255;
constexpr std::size_t text_bytes_min = 3;
constexpr std::string_view ends_of_name = "$.|, ";
/// What substitution may make of one file; rule sets are far below it, a text that doubles itself is not.
constexpr std::size_t inserted_bytes_max = 64 * 1024 * 1024;

diagnostic defect(const place& where, std::string text, std::string hint) {
  return {severity::error, where, -1, "xml-variable", std::move(text), std::move(hint)};
}

class substitution {
public:
  tl::expected<void, diagnostic> over(std::vector<element>& siblings) {
    for (auto& each : siblings) {
      if (auto done = visit(each); !done) return done;
    }
    auto is_variable = [](const element& each) { return equal_fold(each.name, "var"); };
    siblings.erase(std::remove_if(siblings.begin(), siblings.end(), is_variable), siblings.end());
    return {};
  }

private:
  /// In document order: an element's own texts come in front of its children's.
  tl::expected<void, diagnostic> visit(element& each) {
    for (const auto& attr : each.attributes) {
      if (equal_fold(attr.name, "var"))
        return tl::unexpected(defect(attr.place, "an attribute cannot be called 'var'",
                                     "define a variable with <var name=\"NAME\">value</var>"));
    }
    if (equal_fold(each.name, "var")) return define(each);
    for (auto& attr : each.attributes) {
      if (auto done = replace(attr.value, attr.place); !done) return done;
    }
    if (auto done = replace(each.text, each.place); !done) return done;
    return over(each.children);
  }

  tl::expected<void, diagnostic> define(const element& variable) {
    if (variable.attributes.empty() || !equal_fold(variable.attributes.front().name, "name"))
      return tl::unexpected(
          defect(variable.place, "a variable without a name", "the first attribute of 'var' must be 'name'"));
    const auto& name = variable.attributes.front().value;
    if (name.size() > name_bytes_max)
      return tl::unexpected(defect(variable.attributes.front().place,
                                   "the name of a variable is longer than 255 bytes", "shorten it"));
    values_.emplace(folded(name), variable.text);
    return {};
  }

  tl::expected<void, diagnostic> replace(std::string& text, const place& where) {
    if (values_.empty() || text.size() < text_bytes_min) return {};
    auto dollar = text.find('$');
    if (dollar == std::string::npos) return {};
    std::string out;
    std::size_t copied = 0;
    for (; dollar != std::string::npos; dollar = text.find('$', dollar + 1)) {
      auto end = std::min(text.find_first_of(ends_of_name, dollar + 1), text.size());
      auto name = std::string_view(text).substr(dollar + 1, end - dollar - 1);
      if (name.size() > name_bytes_max)
        return tl::unexpected(defect(where, "more than 255 bytes behind a '$' without an end of the name",
                                     "a name ends at '$', '.', '|', ',' or a blank"));
      auto known = values_.find(folded(name));
      if (known == values_.end()) {
        if (name.empty() || name.front() == '(') continue;
        return tl::unexpected(defect(where, "unknown variable '$" + std::string(name) + "'", hint_for(name)));
      }
      inserted_bytes_ += known->second.size();
      if (inserted_bytes_ > inserted_bytes_max)
        return tl::unexpected(defect(where, "variables make this file too long", "use shorter values"));
      out.append(text, copied, dollar - copied).append(known->second);
      copied = end;
    }
    out.append(text, copied);
    text = std::move(out);
    return {};
  }

  std::string hint_for(std::string_view name) const {
    std::vector<std::string_view> names;
    for (const auto& [known, value] : values_)
      names.push_back(known);
    auto near = nearest(name, names.data(), names.size());
    std::string hint = near.empty() ? "define it in front of this place in the same file"
                                    : "did you mean '$" + std::string(near) + "'?";
    return hint + " (a name ends only at '$', '.', '|', ',' or a blank)";
  }

  std::unordered_map<std::string, std::string> values_; ///< by name in lower case
  std::size_t inserted_bytes_ = 0;
};

} // namespace

tl::expected<void, diagnostic> substitute_variables(std::vector<element>& roots) {
  return substitution{}.over(roots);
}

} // namespace picket::engine::xml
