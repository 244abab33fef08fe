; One object has one remote, as long as that lives; an object that comes home is itself.
(define object (list 1))
(define twin (list 1))
(define both [object object twin])
(define box (vector nil nil))
(define (same? a b) (eq? a b))
(define (identity x) x)
(define child
  (spawn-child
    '(begin
       (define object (remote 'object))
       (assert (eq? object (remote 'object)))
       (define both (remote 'both))
       (assert (eq? object (vector-ref both 0)))
       (assert (eq? (vector-ref both 0) (vector-ref both 1)))
       (assert (not (eq? (vector-ref both 0) (vector-ref both 2))))
       (assert (equal? (vector-ref both 0) (vector-ref both 2)))
       (assert (equal? object '(1)))
       (assert (equal? (list 1) object))
       (assert (not (equal? object '(2))))
       (assert (parent-call 'same? object (vector-ref both 1)))
       (assert (not (parent-call 'same? object (vector-ref both 2))))

       ; This process's own.
       (define mine (list 'mine))
       (define box (remote 'box))
       (vector-set! box 0 mine)
       (assert (eq? mine (vector-ref box 0)))
       (assert (eq? mine (parent-call 'identity mine)))
       (assert (parent-call 'same? mine (vector-ref box 0)))
       (assert (eq? object (parent-call 'identity object)))

       ; In a copy what was shared is shared, and what is this process's is itself.
       (vector-set! box 1 mine)
       (define copied (copy box))
       (assert (eq? mine (vector-ref copied 0)))
       (define both-copied (copy both))
       (assert (not (remote? (vector-ref both-copied 0))))
       (assert (eq? (vector-ref both-copied 0) (vector-ref both-copied 1)))
       (assert (not (eq? (vector-ref both-copied 0) (vector-ref both-copied 2))))
       ; To a depth, with remotes for the rest.
       (define shallow (copy both 0))
       (assert (eq? object (vector-ref shallow 0)))

       ; As keys.
       (define seen (identity-hash object 'object))
       (gc)
       (assert-equal 'object (hash-ref seen (vector-ref both 1)))
       (vector-set! box 0 nil)
       (vector-set! box 1 nil))))
(for-each export-variable '(object both box same? identity))
(assert-equal 0 (wait-child child))
