#include "config/load.hpp"

#include "config/schema.hpp"
#include "config/yaml_events.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <unistd.h>

namespace picket::config {

namespace {

constexpr std::string_view variable_mark = "PICKET_";

/// Collects values and what is wrong with them.
class loader {
public:
  loader(const std::string& file_name, const environment& env)
      : file_name_(file_name)
      , env_(env) {
    for (const auto& row : schema()) {
      assign(row, row.default_value, result_.values);
      origin from;
      from.key = row.key;
      from.from = "default";
      result_.origins.push_back(std::move(from));
    }
  }

  loaded run(std::string_view yaml, const std::filesystem::path& directory) {
    read_file(yaml);
    read_environment();
    resolve_paths(directory);
    check_together();
    auto rows = schema();
    for (std::size_t i = 0; i < rows.size(); ++i)
      result_.origins[i].value = value_text(rows[i], result_.values);
    return std::move(result_);
  }

private:
  void complain(std::string file, std::size_t line, std::size_t column, std::string text) {
    problem one;
    one.file = std::move(file);
    one.line = line;
    one.column = column;
    one.text = std::move(text);
    result_.problems.push_back(std::move(one));
  }
  void complain(const yaml_entry& entry, std::string text) {
    complain(file_name_, entry.line, entry.column, std::move(text));
  }

  static bool is_section(std::string_view key) {
    auto prefix = std::string{key} + ".";
    auto rows = schema();
    return std::any_of(rows.begin(), rows.end(),
                       [&](const setting& row) { return row.key.substr(0, prefix.size()) == prefix; });
  }

  static std::string unknown_text(std::string_view key) {
    auto text = "unknown setting '" + std::string{key.substr(0, 80)} + "'";
    if (auto near = nearest_key(key)) text.append("; did you mean '").append(*near).append("'?");
    return text;
  }

  void take(const setting& row, std::string_view value, const std::string& from,
            const std::string& place_file, std::size_t line, std::size_t column) {
    if (auto wrong = assign(row, value, result_.values)) {
      complain(place_file, line, column, std::string{row.key} + ": " + *wrong);
      return;
    }
    result_.origins[static_cast<std::size_t>(&row - schema().data())].from = from;
  }

  void read_entry(const yaml_entry& entry) {
    const auto* row = find_setting(entry.key);
    if (row == nullptr) {
      bool known = is_section(entry.key);
      if (known && (entry.is_map || entry.is_null)) return;
      if (known)
        complain(entry, entry.key + " is a section; its settings stand indented below it");
      else if (!inside_unknown(entry.key))
        complain(entry, unknown_text(entry.key));
      if (entry.is_map) unknown_section_ = entry.key + ".";
      return;
    }
    settings any;
    bool takes_list = std::holds_alternative<address_ranges*>(row->of(any));
    if (entry.is_map || entry.is_null || (entry.is_list && (entry.is_deep || !takes_list))) {
      complain(entry, entry.key + ": one value is expected; give " + allowed_text(*row));
      if (entry.is_map) unknown_section_ = entry.key + ".";
      return;
    }
    auto place = file_name_ + ":" + std::to_string(entry.line) + ":" + std::to_string(entry.column);
    take(*row, entry.value, place, file_name_, entry.line, entry.column);
  }

  /// One complaint about an unknown section is enough.
  bool inside_unknown(std::string_view key) const {
    return !unknown_section_.empty() && key.substr(0, unknown_section_.size()) == unknown_section_;
  }

  void read_file(std::string_view yaml) {
    if (yaml.size() > max_file_bytes) {
      complain(file_name_, 0, 0, "the file is larger than " + std::to_string(max_file_bytes) + " bytes");
      return;
    }
    if (yaml.find('\0') != std::string_view::npos) {
      complain(file_name_, 0, 0, "the file holds NUL bytes; it must be UTF-8 text");
      return;
    }
    constexpr std::size_t enough_problems = 50;
    for (const auto& entry : read_yaml(yaml, file_name_, result_.problems)) {
      if (result_.problems.size() >= enough_problems) break;
      read_entry(entry);
    }
  }

  void read_environment() {
    for (const auto& row : schema()) {
      auto name = environment_name(row.key);
      auto found = env_.find(name);
      if (found != env_.end()) take(row, found->second, "environment:" + name, "environment:" + name, 0, 0);
    }
    for (const auto& variable : env_) {
      const auto& name = variable.first;
      if (name.substr(0, variable_mark.size()) != variable_mark || name.find("__") == std::string::npos)
        continue;
      auto key = key_of(name);
      if (find_setting(key) == nullptr || environment_name(key) != name)
        complain("environment:" + name, 0, 0, unknown_text(key));
    }
  }

  static std::string key_of(std::string_view variable) {
    std::string key;
    for (std::size_t i = variable_mark.size(); i < variable.size(); ++i) {
      if (variable.substr(i, 2) == "__") {
        key += '.';
        ++i;
      } else {
        key += variable[i] >= 'A' && variable[i] <= 'Z' ? static_cast<char>(variable[i] - 'A' + 'a')
                                                        : variable[i];
      }
    }
    return key;
  }

  void resolve_paths(const std::filesystem::path& directory) {
    auto& data_dir = result_.values.paths.data_dir;
    data_dir = (directory / data_dir).lexically_normal();
    for (const auto& row : schema()) {
      auto member = row.of(result_.values);
      auto* path = std::get_if<std::filesystem::path*>(&member);
      if (path == nullptr || *path == &data_dir || (*path)->empty()) continue;
      **path = (data_dir / **path).lexically_normal();
    }
  }

  /// The place where the key got its value, for rules that look at two.
  void complain_about(std::string_view key, const std::string& text) {
    for (const auto& from : result_.origins)
      if (from.key == key)
        complain(from.from == "default" ? file_name_ : from.from, 0, 0, from.key + ": " + text);
  }

  void check_together() {
    const auto& all = result_.values;
    if (all.pool.segment_bytes % 4'096 != 0)
      complain_about("pool.segment_bytes", "must be a multiple of 4096");
    if (all.pool.shard_quota_segments > all.pool.segments)
      complain_about("pool.shard_quota_segments", "must not be above pool.segments");
    if (all.pool.shard_quota_segments * all.pool.segment_bytes < 2 * all.engine.batch_bytes)
      complain_about("pool.shard_quota_segments",
                     "a shard must be able to hold two batches: times pool.segment_bytes "
                     "at least twice engine.batch_bytes");
    if (all.enrollment.use_password && all.enrollment.password_file.empty())
      complain_about("enrollment.password_file", "is needed, because enrollment.use_password is on");
    if (all.enrollment.tls.verify_host && all.enrollment.tls.agent_ca.empty())
      complain_about("enrollment.tls.verify_host", "needs enrollment.tls.agent_ca");
    if (all.enrollment.tls.certificate.empty() || all.enrollment.tls.key.empty())
      complain_about("enrollment.tls.certificate", "certificate and key must both be named");
    if (all.api.tls.certificate.empty() || all.api.tls.key.empty())
      complain_about("api.tls.certificate", "certificate and key must both be named");
    if (all.ingest.durable && all.overflow.max_bytes == 0)
      complain_about("ingest.durable", "needs the overflow's files: overflow.max_bytes above 0");
    if (all.paths.data_dir.empty()) complain_about("paths.data_dir", "must not be empty");
  }

  const std::string& file_name_;
  const environment& env_;
  std::string unknown_section_;
  loaded result_;
};

} // namespace

std::string to_string(const problem& one) {
  auto text = one.file;
  if (one.line > 0) text += ":" + std::to_string(one.line) + ":" + std::to_string(one.column);
  return text + ": " + one.text;
}

environment process_environment() {
  environment found;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    std::string_view variable{*at};
    auto equals = variable.find('=');
    if (equals == std::string_view::npos || variable.substr(0, variable_mark.size()) != variable_mark)
      continue;
    found.emplace(variable.substr(0, equals), variable.substr(equals + 1));
  }
  return found;
}

loaded load_text(std::string_view yaml, const std::string& file_name, const environment& env,
                 const std::filesystem::path& directory) {
  return loader{file_name, env}.run(yaml, directory);
}

result<loaded> load_file(const std::filesystem::path& file, const environment& env) {
  std::error_code ec;
  std::string yaml;
  auto directory = std::filesystem::current_path(ec);
  std::string shown = "defaults";
  if (!file.empty()) {
    shown = file.string();
    auto size = std::filesystem::file_size(file, ec);
    if (ec == std::errc::no_such_file_or_directory)
      return fail(errc::not_found, "there is no such configuration file", shown,
                  "Give its path with --config, or write one with 'picketctl config default'.");
    if (ec) return fail(errc::io, "cannot read the configuration: " + ec.message(), shown);
    std::ifstream stream{file, std::ios::binary};
    yaml.resize(std::min<std::size_t>(size, max_file_bytes + 1));
    if (!stream.read(yaml.data(), static_cast<std::streamsize>(yaml.size())))
      return fail(errc::io, "cannot read the configuration", shown);
    directory = std::filesystem::absolute(file, ec).parent_path();
  }
  auto got = load_text(yaml, shown, env, directory);
  if (got.good()) return got;
  std::string all;
  for (const auto& one : got.problems)
    all += (all.empty() ? "" : "\n") + to_string(one);
  return fail(errc::bad_configuration, all);
}

settings defaults(const std::filesystem::path& directory) {
  return load_text("", "defaults", {}, directory).values;
}

} // namespace picket::config
