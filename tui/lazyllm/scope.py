"""Names of LazyLLM that are not offered, and what to use instead."""

import difflib
import sys
from collections.abc import Iterable
from dis import opmap

from tui.lazyllm.arguments import ArgumentError

_FUNCTION = "write a Python function that calls the modules"
_SERVER = "start the model's server yourself and give OnlineChatModule(base_url=...)"
_DOCUMENTS = "write a tool that searches, and register it with fc_register"
_JSON = "ask for JSON in the prompt and read it with json.loads"

ABSENT: dict[str, str] = {
    **dict.fromkeys(
        ("pipeline", "parallel", "diverter", "switch", "warp", "loop", "ifs", "bind",
         "graph", "flow", "ActionModule", "Flow", "save_pipeline_result", "package"),
        _FUNCTION,
    ),
    **dict.fromkeys(
        ("Document", "Retriever", "Reranker", "TempDocRetriever", "SentenceSplitter",
         "DocNode", "SqlManager", "SqlCall", "MongoDBManager", "rag", "DBManager",
         "DocServer", "GraphDocument", "GraphRetriever"),
        _DOCUMENTS,
    ),
    **dict.fromkeys(
        ("deploy", "launcher", "launchers", "ServerModule", "UrlModule", "AutoModel",
         "finetune", "AutoDeploy", "AutoFinetune", "dataproc", "FastapiApp",
         "LazyLLMDataprocBase", "LazyLLMDeployBase", "LazyLLMFinetuneBase",
         "LazyLLMLaunchersBase", "LazyLLMValidateBase", "ModelManager", "TrialModule",
         "TTSDeploy", "Option", "data_register"),
        _SERVER,
    ),
    **dict.fromkeys(
        ("formatter", "JsonFormatter", "YamlFormatter", "EmptyFormatter",
         "FunctionCallFormatter", "FileFormatter", "FormatterBase"),
        _JSON,
    ),
    **dict.fromkeys(
        ("OnlineEmbeddingModule", "OnlineMultiModalModule",
         "OnlineEmbeddingModuleBase", "OnlineMultiModalBase", "LLMParser",
         "encode_query_with_filepaths", "ParameterExtractor",
         "QustionRewrite", "IntentClassifier", "CodeGenerator"),
        "use OnlineChatModule with a prompt that asks for it",
    ),
    **dict.fromkeys(
        ("Prompter", "AlpacaPrompter", "EmptyPrompter", "LazyLLMPrompterBase",
         "components", "prompter"),
        "use ChatPrompter(instruction, extra_keys)",
    ),
    **dict.fromkeys(
        ("globals", "locals"), "use init_session, new_session and Python's variables"
    ),
    **dict.fromkeys(
        ("config", "Config", "refresh_config", "namespace", "patch_os_env", "KeyPool",
         "inject_model_config"),
        "use config.toml and the variables LAZYLLM_<SOURCE>_API_KEY",
    ),
    **dict.fromkeys(
        ("FS", "NotionFS", "S3FS", "Git", "GitHub", "GitLab", "HttpRequest",
         "ModuleTool", "todo_write"),
        "write a function that does it, and register it with fc_register",
    ),
    **dict.fromkeys(
        ("SkillManager", "install_skill"), "put the instructions into prompt=..."
    ),
    **dict.fromkeys(
        ("sandbox", "SandboxFusion", "DummySandbox", "LazyLLMSandboxBase"),
        "tools run in a thread of the program, with a time limit",
    ),
    **dict.fromkeys(
        ("enable_trace", "LazyTraceContext", "get_trace_context", "set_trace_context"),
        "use return_trace=True and read the queue lazy_trace",
    ),
    **dict.fromkeys(
        ("LLMBase", "OnlineChatModuleBase", "LazyLLMAgentBase", "Module",
         "component_register", "module_register", "Register", "LazyLLMHook",
         "add_doc"),
        "write a Python class whose objects can be called",
    ),
    **dict.fromkeys(
        ("ProcessPoolExecutor", "ForkProcess", "SpawnProcess", "LazyLLMCMD",
         "once_wrapper", "retry", "timeout", "dump_obj", "load_obj", "redis_client",
         "colored_text", "Color", "Identity", "Placeholder", "kwargs"),
        "use Python's own modules",
    ),
    "LLMType": "write the type as text: llm or vlm",
    "Mode": "use WebModule.Mode",
    "tool_concurrency": "the calls of a round run side by side",
    "LOG": "use Python's logging",
    "Thread": "use lazyllm.ThreadPoolExecutor, which carries the session",
    "SQLiteQueue": "use FileSystemQueue",
    "RedisQueue": "use FileSystemQueue",
    "RecentQueue": "use FileSystemQueue",
    "ModuleBase": "write a Python class whose objects can be called",
    "module": "import from tui.lazyllm itself",
    "common": "import from tui.lazyllm itself",
    "HttpTool": "write a tool that calls the address, and use fc_register",
    "code_interpreter": "write a tool for what you need: none is on by default",
    "MCPClient": "write a tool that asks the server, and use fc_register",
    "ToolExecutionError": "raise any exception in a tool: the model is told its text",
}  # fmt: skip
"""The names, each with what to use instead."""

ABSENT_METHODS: dict[str, str] = {
    **dict.fromkeys(
        ("deploy_method", "finetune_method", "trainset", "mode", "update_server",
         "wait_server", "stop", "wait"),
        "lazychat trains and serves no models; " + _SERVER,
    ),
    **dict.fromkeys(("evalset", "eval", "eval_result", "update"),
                    "call the module in a loop over the examples"),
    **dict.fromkeys(("formatter", "format"), _JSON),
    "forward": "call the module itself",
    "set_stop_tools": "leave the loop over StreamCallHelper: that cancels it",
    "describe_context": "use return_trace=True and read the queue lazy_trace",
    "used_by": "it has no effect outside of LazyLLM's workflows",
}  # fmt: skip
"""The same for methods of modules."""

ABSENT_ARGUMENTS: dict[str, str] = {
    "skills": "put the instructions into prompt=...",
    "memory": "pass the conversation so far as llm_chat_history",
    "desc": "describe the agent in prompt=...",
    "workspace": "name the folder in prompt=...",
    "sub_agents": "give a function that calls the agent as a tool",
    "sandbox": "tools run in a thread of the program",
    "tool_concurrency": "the calls of a round run side by side",
    "enable_builtin_tools": "no tool is on by default; list those that you need",
    "force_summarize": "after max_retries rounds the agent answers with what it has",
    "on_max_retries": "after max_retries rounds the agent answers with what it has",
    "keep_full_turns": "lazychat keeps the context within the model's window",
    "fs": "write tools for the files that are needed",
    "force_summarize_context": "say it in prompt=...",
    "history_compactor": "lazychat keeps the context within the model's window",
    "extra_stop_condition": "leave the loop over StreamCallHelper: that cancels it",
    **dict.fromkeys(
        (
            "skills_dir",
            "prompt_skills",
            "excluded_skills",
            "skill_search",
            "skill_tool_mode",
        ),
        "put the instructions into prompt=...",
    ),
    **dict.fromkeys(
        ("runtime_observer", "before_model_request"),
        "use return_trace=True and read the queue lazy_trace",
    ),
    "model_context_provider": "use ChatPrompter(instruction, extra_keys)",
}
"""The same for arguments of agents; those with a false value are accepted."""


ABSENT_OF_CALLS: dict[str, str] = {
    "tools": "give them to FunctionCall or to an agent",
    "lazyllm_files": "put an image into the history, as image_url in data: form",
    "url": "make another OnlineChatModule with that url",
}
"""The same for arguments of a call."""


def refuse(of: str, options: Iterable[str], absent: dict[str, str]) -> None:
    """Raise `ArgumentError` for the first option that is among `absent`."""
    for option in options:
        if option in absent:
            raise ArgumentError(f"{of} has no argument {option}: {absent[option]}.")


def missing(module: str, name: str, known: Iterable[str]) -> Exception:
    """Return the error for a name that `module` does not have.

    For `from ... import` it is an ImportError: of an AttributeError Python would say
    only that the name cannot be imported.
    """
    if why := ABSENT.get(name):
        text = f"lazychat has no {name} of LazyLLM: {why} (docs/lazyllm.md)."
    else:
        near = difflib.get_close_matches(name, [*known], 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        text = f"module {module!r} has no attribute {name!r}.{hint}"
    frame = sys._getframe(2)  # pyright: ignore[reportPrivateUsage]
    code, at = frame.f_code.co_code, frame.f_lasti
    imported = 0 <= at < len(code) and code[at] == opmap["IMPORT_FROM"]
    if imported and why:
        return ImportError(text, name=module)
    return AttributeError(text, name=name)
