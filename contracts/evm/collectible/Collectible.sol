// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title TokenReceiver
/// @notice What a contract implements to be sent a token by `safeTransferFrom`.
interface TokenReceiver {
    /// @return this function's own selector, to say that the token is welcome
    function onERC721Received(address operator, address from, uint256 tokenId, bytes calldata data)
        external
        returns (bytes4);
}

/// @title Collectible
/// @notice Tokens that are each one of a kind, after ERC-721 with metadata; its owner mints them.
/// @dev Refusals are the custom errors of ERC-6093. Ids count up from 1.
contract Collectible {
    /// @notice What the collection is called.
    string public name;

    /// @notice The short sign it is listed under.
    string public symbol;

    /// @notice What every token's URI begins with; its id follows.
    string public baseURI;

    /// @notice Who may mint.
    address public owner;

    /// @notice How many tokens have been minted, which is also the last id.
    uint256 public totalMinted;

    /// @notice Whether `operator` may move every token of `holder`.
    mapping(address holder => mapping(address operator => bool allowed)) public isApprovedForAll;

    mapping(uint256 tokenId => address holder) private _holders;
    mapping(address holder => uint256 count) private _counts;
    mapping(uint256 tokenId => address approved) private _approved;

    /// @notice A token moved; `from` is zero when it was minted.
    event Transfer(address indexed from, address indexed to, uint256 indexed tokenId);

    /// @notice One account may now move one token.
    event Approval(address indexed owner, address indexed approved, uint256 indexed tokenId);

    /// @notice One account may now move, or no longer move, all tokens of another.
    event ApprovalForAll(address indexed owner, address indexed operator, bool approved);

    /// @notice This account cannot hold tokens, so it has no balance.
    error ERC721InvalidOwner(address owner);

    /// @notice No token has this id.
    error ERC721NonexistentToken(uint256 tokenId);

    /// @notice The token is `owner`'s, not `sender`'s.
    error ERC721IncorrectOwner(address sender, uint256 tokenId, address owner);

    /// @notice Tokens cannot go to this account.
    error ERC721InvalidReceiver(address receiver);

    /// @notice `operator` may not move this token.
    error ERC721InsufficientApproval(address operator, uint256 tokenId);

    /// @notice This account may not approve others for the token.
    error ERC721InvalidApprover(address approver);

    /// @notice This account cannot be made an operator.
    error ERC721InvalidOperator(address operator);

    /// @notice Only the owner of the collection may do this.
    error OnlyOwner(address caller);

    /// @param name_ what the collection is called
    /// @param symbol_ its short sign
    /// @param baseURI_ what every token's URI begins with; empty for no URIs
    constructor(string memory name_, string memory symbol_, string memory baseURI_) {
        name = name_;
        symbol = symbol_;
        baseURI = baseURI_;
        owner = msg.sender;
    }

    /// @notice Makes the next token and gives it to `to`, whoever that is.
    function mint(address to) external returns (uint256 tokenId) {
        if (msg.sender != owner) revert OnlyOwner(msg.sender);
        if (to == address(0)) revert ERC721InvalidReceiver(to);
        tokenId = ++totalMinted;
        _holders[tokenId] = to;
        _counts[to] += 1;
        emit Transfer(address(0), to, tokenId);
    }

    /// @notice Lets `approved` move one token; the zero address takes that back.
    function approve(address approved, uint256 tokenId) external {
        address holder = ownerOf(tokenId);
        if (msg.sender != holder && !isApprovedForAll[holder][msg.sender]) {
            revert ERC721InvalidApprover(msg.sender);
        }
        _approved[tokenId] = approved;
        emit Approval(holder, approved, tokenId);
    }

    /// @notice Lets `operator` move every token of the caller, or no longer.
    function setApprovalForAll(address operator, bool approved) external {
        if (operator == address(0)) revert ERC721InvalidOperator(operator);
        isApprovedForAll[msg.sender][operator] = approved;
        emit ApprovalForAll(msg.sender, operator, approved);
    }

    /// @notice Moves a token and asks a receiving contract whether it wants it.
    function safeTransferFrom(address from, address to, uint256 tokenId) external {
        safeTransferFrom(from, to, tokenId, "");
    }

    /// @notice How many tokens `holder` has.
    function balanceOf(address holder) external view returns (uint256) {
        if (holder == address(0)) revert ERC721InvalidOwner(holder);
        return _counts[holder];
    }

    /// @notice Who else may move this one token; zero for nobody.
    function getApproved(uint256 tokenId) external view returns (address) {
        ownerOf(tokenId);
        return _approved[tokenId];
    }

    /// @notice Where the token's description is: the base URI and the id in decimal.
    function tokenURI(uint256 tokenId) external view returns (string memory) {
        ownerOf(tokenId);
        if (bytes(baseURI).length == 0) return "";
        return string.concat(baseURI, _decimal(tokenId));
    }

    /// @notice Which interfaces the contract has: ERC-165 itself, ERC-721 and its metadata.
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == 0x01ffc9a7 || interfaceId == 0x80ac58cd || interfaceId == 0x5b5e139f;
    }

    /// @notice Moves a token and asks a receiving contract, with `data` for it, whether it wants it.
    function safeTransferFrom(address from, address to, uint256 tokenId, bytes memory data) public {
        transferFrom(from, to, tokenId);
        if (to.code.length == 0) return;
        try TokenReceiver(to).onERC721Received(msg.sender, from, tokenId, data) returns (bytes4 answer) {
            if (answer != TokenReceiver.onERC721Received.selector) revert ERC721InvalidReceiver(to);
        } catch (bytes memory reason) {
            // A receiver without that function says nothing; one with a reason is heard.
            if (reason.length == 0) revert ERC721InvalidReceiver(to);
            assembly ("memory-safe") {
                revert(add(reason, 32), mload(reason))
            }
        }
    }

    /// @notice Moves a token without asking its receiver, which may be unable to move it on.
    function transferFrom(address from, address to, uint256 tokenId) public {
        address holder = ownerOf(tokenId);
        if (to == address(0)) revert ERC721InvalidReceiver(to);
        if (holder != from) revert ERC721IncorrectOwner(from, tokenId, holder);
        if (msg.sender != holder && !isApprovedForAll[holder][msg.sender] && msg.sender != _approved[tokenId]) {
            revert ERC721InsufficientApproval(msg.sender, tokenId);
        }
        // What the last holder allowed ends with their holding.
        delete _approved[tokenId];
        _counts[from] -= 1;
        _counts[to] += 1;
        _holders[tokenId] = to;
        emit Transfer(from, to, tokenId);
    }

    /// @notice Who holds the token.
    function ownerOf(uint256 tokenId) public view returns (address holder) {
        holder = _holders[tokenId];
        if (holder == address(0)) revert ERC721NonexistentToken(tokenId);
    }

    function _decimal(uint256 value) private pure returns (string memory) {
        uint256 digits = 1;
        for (uint256 rest = value / 10; rest != 0; rest /= 10) digits++;
        bytes memory text = new bytes(digits);
        for (uint256 place = digits; place != 0; place--) {
            text[place - 1] = bytes1(uint8(48 + value % 10));
            value /= 10;
        }
        return string(text);
    }
}

/// @title CollectibleHolder
/// @notice A contract that is sent tokens and gives the answer it was made with: welcome, or not.
contract CollectibleHolder is TokenReceiver {
    /// @notice What it answers; zero to refuse with an error of its own.
    bytes4 public answer;

    /// @notice What the last sender had to say.
    bytes public lastData;

    /// @notice It takes no tokens.
    error Declined(uint256 tokenId);

    constructor(bytes4 answer_) {
        answer = answer_;
    }

    /// @inheritdoc TokenReceiver
    function onERC721Received(address, address, uint256 tokenId, bytes calldata data)
        external
        override
        returns (bytes4)
    {
        if (answer == bytes4(0)) revert Declined(tokenId);
        lastData = data;
        return answer;
    }
}
