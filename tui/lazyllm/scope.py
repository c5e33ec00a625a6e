"""Names of LazyLLM that are not offered, and what to use instead."""

import difflib
import sys
from collections.abc import Iterable
from dis import opmap

from tui.lazyllm.arguments import ArgumentError

_FUNCTION = "write a Python function that calls the modules"
_TOOL = "write a function that does it, and register it with fc_register"
_SERVER = "start the model's server yourself and give OnlineChatModule(base_url=...)"
_DOCUMENTS = "write a tool that searches, and register it with fc_register"
_JSON = "ask for JSON in the prompt and read it with json.loads"

ABSENT: dict[str, str] = {
    **dict.fromkeys(
        ("pipeline", "parallel", "diverter", "switch", "warp", "loop", "ifs", "bind",
         "graph", "flow", "ActionModule", "Flow", "save_pipeline_result", "package",
         "barrier", "FlowBase", "LazyLLMFlowsBase",
         *(f"_{number}" for number in range(10))),
        _FUNCTION,
    ),
    **dict.fromkeys(
        ("Document", "Retriever", "Reranker", "TempDocRetriever", "SentenceSplitter",
         "DocNode", "SqlManager", "SqlCall", "MongoDBManager", "rag", "DBManager",
         "DocServer", "GraphDocument", "GraphRetriever", "SimpleDirectoryReader",
         "UrlGraphDocument", "DeleteRequest", "ReparseRequest", "AddRequest",
         "UploadRequest", "AddFileItem", "TransferItem", "TransferRequest",
         "MetadataPatchItem", "MetadataPatchRequest", "DocStatus", "DocServiceError",
         "SourceType", "DBResult", "DBStatus", "GraphRagServerModule", "sql",
         "sql_call"),
        _DOCUMENTS,
    ),
    **dict.fromkeys(
        ("deploy", "launcher", "launchers", "ServerModule", "UrlModule", "AutoModel",
         "finetune", "AutoDeploy", "AutoFinetune", "dataproc", "FastapiApp",
         "LazyLLMDataprocBase", "LazyLLMDeployBase", "LazyLLMFinetuneBase",
         "LazyLLMLaunchersBase", "LazyLLMValidateBase", "ModelManager", "TrialModule",
         "TTSDeploy", "Option", "data_register", "BarkDeploy", "ChatTTSDeploy",
         "MusicGenDeploy", "OCRDeploy", "SenseVoiceDeploy", "StableDiffusionDeploy",
         "infer_service", "train_service", "servers", "services", "engine"),
        _SERVER,
    ),
    **dict.fromkeys(
        ("formatter", "JsonFormatter", "YamlFormatter", "EmptyFormatter",
         "FunctionCallFormatter", "FileFormatter", "FormatterBase",
         "LazyLLMFormatterBase"),
        _JSON,
    ),
    **dict.fromkeys(
        ("OnlineEmbeddingModule", "OnlineMultiModalModule",
         "OnlineEmbeddingModuleBase", "OnlineMultiModalBase", "LLMParser",
         "ParameterExtractor", "QustionRewrite", "IntentClassifier", "CodeGenerator",
         "ChineseCorrector", "get_errors", "JsonConcentrator", "JsonExtractor",
         "actors", "classifier", "review", "writer"),
        "use OnlineChatModule with a prompt that asks for it",
    ),
    **dict.fromkeys(
        ("encode_query_with_filepaths", "decode_query_with_filepaths",
         "lazyllm_merge_query"),
        "put an image into the question, as image_url in data: form",
    ),
    **dict.fromkeys(
        ("BaseEvaluator", "ResponseRelevancy", "Faithfulness", "LLMContextRecall",
         "NonLLMContextRecall", "ContextRelevance", "eval", "data"),
        "call the module in a loop over the examples",
    ),
    **dict.fromkeys(
        ("Prompter", "AlpacaPrompter", "EmptyPrompter", "LazyLLMPrompterBase",
         "PrompterBase", "components", "prompter", "ActorPrompt", "DataPrompt",
         "prompt_templates"),
        "use ChatPrompter(instruction, extra_keys)",
    ),
    **dict.fromkeys(
        ("globals", "locals"), "use init_session, new_session and Python's variables"
    ),
    **dict.fromkeys(
        ("config", "Config", "configs", "refresh_config", "namespace", "patch_os_env",
         "KeyPool", "inject_tool_config", "tool_config_inject", "dynamic_chat_config",
         "inject_model_config", "dynamic_fs_config", "Credential", "CredentialMixin",
         "AuthStrategy", "BearerTokenStrategy", "ApiKeyHeaderStrategy",
         "QueryParamStrategy", "KeySelectPolicy", "KeyAuthError",
         "AllKeysExhaustedError", "SessionConfigableBase"),
        "use config.toml and the variables LAZYLLM_<SOURCE>_API_KEY",
    ),
    **dict.fromkeys(
        ("FS", "NotionFS", "S3FS", "FeishuFS", "ConfluenceFS", "GoogleDriveFS",
         "OneDriveFS", "YuqueFS", "OnesFS", "ObsidianFS", "LazyLLMFSBase",
         "LinkDocumentFSBase", "CloudFSBufferedFile", "CloudFsWatchdog", "fs",
         "Git", "GitHub", "GitLab", "Gitee", "GitCode", "LazyLLMGitBase", "PrInfo",
         "ReviewCommentInfo", "git", "HttpRequest", "HttpExecutorResponse",
         "http_request", "ModuleTool", "todo_write", "GoogleSearch", "ArxivSearch",
         "BingSearch", "BochaSearch", "GoogleBooksSearch", "SciverseSearch",
         "SearchBase", "SemanticScholarSearch", "StackOverflowSearch", "TavilySearch",
         "TencentSearch", "WikipediaSearch", "Calculator", "Weather", "tools.tools"),
        _TOOL,
    ),
    **dict.fromkeys(
        ("SkillManager", "install_skill"), "put the instructions into prompt=..."
    ),
    **dict.fromkeys(
        ("sandbox", "SandboxFusion", "DummySandbox", "LazyLLMSandboxBase"),
        "tools run in a thread of the program, with a time limit",
    ),
    **dict.fromkeys(
        ("enable_trace", "LazyTraceContext", "get_trace_context", "set_trace_context",
         "TracingSetupError", "tracing"),
        "use return_trace=True and read the queue lazy_trace",
    ),
    **dict.fromkeys(
        ("LLMBase", "OnlineChatModuleBase", "LazyLLMAgentBase", "Module",
         "component_register", "module_register", "register", "Register", "hook",
         "LazyLLMHook",
         "LazyLLMFuncHook", "LazyLLMRegisterMetaClass", "LazyLLMRegisterMetaABCClass",
         "add_doc"),
        "write a Python class whose objects can be called",
    ),
    **dict.fromkeys(
        ("ProcessPoolExecutor", "ForkProcess", "SpawnProcess", "LazyLLMCMD",
         "once_wrapper", "retry", "timeout", "dump_obj", "load_obj", "redis_client",
         "colored_text", "Color", "Identity", "Placeholder", "kwargs", "FlatList",
         "ReadOnlyWrapper", "ResultCollector", "ArgsDict", "CaseInsensitiveDict",
         "final", "deprecated", "override", "compile_func", "DynamicDescriptor",
         "singleton", "SingletonMeta", "SingletonABCMeta", "reset_on_pickle",
         "obj2str", "str2obj", "str2bool", "dump_obj_to_file", "is_valid_url",
         "is_valid_path", "Finalizer", "TempPathGenerator", "retry_transient",
         "HandledException", "OptionIter", "once_flag", "call_once", "ReprRule",
         "make_repr", "modify_repr", "thirdparty", "LazyLlmRequest",
         "LazyLlmResponse", "encode_request", "decode_request"),
        "use Python's own modules",
    ),
    "LLMType": "write the type as text: llm or vlm",
    "Mode": "use WebModule.Mode",
    "tool_concurrency": "the calls of a round run side by side",
    "LOG": "use Python's logging",
    "SQLiteQueue": "use FileSystemQueue",
    "RedisQueue": "use FileSystemQueue",
    "RecentQueue": "use FileSystemQueue",
    "ModuleBase": "write a Python class whose objects can be called",
    **dict.fromkeys(
        ("module", "common", "webpages", "mcp"), "import from tui.lazyllm itself"
    ),
    "tool": "name a registered tool as text, in a list of tools",
    "memory": "pass the conversation so far as llm_chat_history",
    "docs": "read docs/lazyllm.md",
    "HttpTool": "write a tool that calls the address, and use fc_register",
    "code_interpreter": "write a tool for what you need: none is on by default",
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
    **dict.fromkeys(
        ("train_method", "get_all_models", "set_specific_finetuned_model", "log_path",
         "status", "restart"),
        "lazychat trains and serves no models; " + _SERVER,
    ),
    **dict.fromkeys(("set_default_parameters", "use_cache"),
                    "set options in [models.NAME] of the configuration"),
    **dict.fromkeys(("register_hook", "unregister_hook", "clear_hooks", "for_each",
                     "submodules", "build_agent"), _FUNCTION),
    **dict.fromkeys(("forward", "forward_openai", "forward_standard"),
                    "call the module itself"),
    "set_stop_tools": "leave the loop over StreamCallHelper: that cancels it",
    "describe_context": "use return_trace=True and read the queue lazy_trace",
    "used_by": "it has no effect outside of LazyLLM's workflows",
    "type": "models for chat are the only type",
    "series": "the source that it was made with is its series",
    "options": _FUNCTION,
    "set_train_tasks": "lazychat trains and serves no models; " + _SERVER,
}  # fmt: skip
"""The same for methods of modules."""

ABSENT_OF_PROMPTS: dict[str, str] = {
    "generate_prompt": "use messages(query, history)",
    "pre_hook": _FUNCTION,
    "get_response": "call the module, which returns the answer alone",
}
"""The same for `ChatPrompter`."""

ABSENT_ARGUMENTS: dict[str, str] = {
    "skills": "put the instructions into prompt=...",
    "memory": "pass the conversation so far as llm_chat_history",
    "workspace": "name the folder in prompt=...",
    "sub_agents": "give a function that calls the agent as a tool",
    "sandbox": "tools run in a thread of the program",
    "enable_builtin_tools": "no tool is on by default; list those that you need",
    "on_max_retries": "after max_retries rounds the agent answers with what it has",
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
    "skill_manager": "put the instructions into prompt=...",
    "stop_tools": "leave the loop over StreamCallHelper: that cancels it",
    "round_limit": "FunctionCall is one round; an agent has max_retries",
    "model_context_provider": "use ChatPrompter(instruction, extra_keys)",
}
"""The same for arguments of agents; those with a false value are accepted."""


NEEDLESS_ARGUMENTS = frozenset(
    {"desc", "force_summarize", "keep_full_turns", "tool_concurrency"}
)
"""Arguments of agents that ask for what is done anyway, or that only LazyLLM reads."""


ABSENT_OF_SHARE: dict[str, str] = {"format": _JSON}
"""The same for arguments of `share`."""


ABSENT_OF_CLIENTS: dict[str, str] = {
    "deploy": "lazychat serves no MCP servers; start the server yourself"
}
"""The same for `MCPClient`."""


ABSENT_OF_CALLS: dict[str, str] = {
    "tools": "give them to FunctionCall or to an agent",
    "lazyllm_files": "put an image into the history, as image_url in data: form",
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
